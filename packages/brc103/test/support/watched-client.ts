import type { AuthMessage, PeerSession } from '@bsv/sdk';
import { SessionManager } from '@bsv/sdk';
import type { Client } from './echo.js';

/** Frames that a client of today works on at once. */
const MOST_AT_ONCE = 32;

interface Internals {
  peer: { transport: { onDataCallback: (message: AuthMessage) => Promise<void> } };
}

/** What a client of today would make of the frames: how many it has in work at once, and whether one ends it. */
export interface Watch {
  readonly frames: AuthMessage[];
  mostAtOnce: number;
  /** Why a client of today would have closed for good. */
  readonly deaths: string[];
}

export function watch(client: Client): Watch {
  const { transport } = (client.socket as unknown as Internals).peer;
  const handle = transport.onDataCallback;
  const seen: Watch = { frames: [], mostAtOnce: 0, deaths: [] };
  let inWork = 0;
  transport.onDataCallback = async (message) => {
    seen.frames.push(message);
    inWork += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, inWork);
    if (inWork > MOST_AT_ONCE) seen.deaths.push('too many frames at once');
    try {
      await handle(message);
    } catch (error) {
      seen.deaths.push(String(error));
    } finally {
      inWork -= 1;
    }
  };
  return seen;
}

/** How long a client of today remembers a session that is idle. */
export const CLIENT_IDLE_MS = 30 * 60_000;

/**
 * The sessions of a client of today: one that is idle for 30 minutes is forgotten, and one that the server has begun is
 * used only once a signed message has come under it.
 */
export class ForgetfulSessions extends SessionManager {
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
      if (session.lastUpdate <= this.now() - CLIENT_IDLE_MS) this.removeSession(session);
    }
    const direct = sessionNonceToSession.get(identifier);
    if (direct !== undefined) return direct;
    return [...sessionNonceToSession.values()]
      .filter(({ peerIdentityKey, isAuthenticated }) => peerIdentityKey === identifier && isAuthenticated)
      .sort((a, b) => b.lastUpdate - a.lastUpdate)[0];
  }
}
