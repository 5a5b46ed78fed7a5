import type { AuthMessage, PeerSession } from '@bsv/sdk';
import { SessionManager } from '@bsv/sdk';
import type { Client } from './echo-server.js';

/** How many frames a current client handles at once. */
const MAX_CONCURRENT_FRAMES = 32;

interface Internals {
  peer: { transport: { onDataCallback: (message: AuthMessage) => Promise<void> } };
}

/** The frames that a client has received, how many it handled at once, and whether one would have ended a current client. */
export interface FrameLog {
  readonly frames: AuthMessage[];
  maxConcurrent: number;
  /** The reasons for which a current client would have closed the connection for good. */
  readonly fatalErrors: string[];
}

export function recordFrames(client: Client): FrameLog {
  const { transport } = (client.socket as unknown as Internals).peer;
  const handle = transport.onDataCallback;
  const seen: FrameLog = { frames: [], maxConcurrent: 0, fatalErrors: [] };
  let inWork = 0;
  transport.onDataCallback = async (message) => {
    seen.frames.push(message);
    inWork += 1;
    seen.maxConcurrent = Math.max(seen.maxConcurrent, inWork);
    if (inWork > MAX_CONCURRENT_FRAMES) seen.fatalErrors.push('too many frames at once');
    try {
      await handle(message);
    } catch (error) {
      seen.fatalErrors.push(String(error));
    } finally {
      inWork -= 1;
    }
  };
  return seen;
}

/** How long a current client remembers an idle session. */
export const CLIENT_IDLE_TIMEOUT_MS = 30 * 60_000;

/**
 * The session manager of a current client. It forgets a session that is idle for 30 minutes. It uses a session that the
 * server has begun only after a signed message in it.
 */
export class ExpiringSessionManager extends SessionManager {
  constructor(private readonly now: () => number) {
    super();
  }

  override addSession(session: PeerSession): void {
    const isServers = session.peerNonce !== undefined;
    super.addSession(Object.assign(session, { lastUpdate: this.now(), ...(isServers && { isAuthenticated: false }) }));
  }

  override updateSession(session: PeerSession): void {
    super.removeSession(session);
    super.addSession(Object.assign(session, { lastUpdate: this.now(), isAuthenticated: true }));
  }

  override getSession(identifier: string): PeerSession | undefined {
    const { sessionNonceToSession } = this as unknown as { sessionNonceToSession: Map<string, PeerSession> };
    for (const session of [...sessionNonceToSession.values()]) {
      if (session.lastUpdate <= this.now() - CLIENT_IDLE_TIMEOUT_MS) this.removeSession(session);
    }
    const direct = sessionNonceToSession.get(identifier);
    if (direct !== undefined) return direct;
    return [...sessionNonceToSession.values()]
      .filter(({ peerIdentityKey, isAuthenticated }) => peerIdentityKey === identifier && isAuthenticated)
      .sort((a, b) => b.lastUpdate - a.lastUpdate)[0];
  }
}
