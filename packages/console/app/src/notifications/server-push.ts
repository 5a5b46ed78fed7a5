import { serverUrl } from '../api/server-url.js';

/** What the server says of its pushes to browsers. */
export interface ServerPush {
  /** Base64url: only this server may push to subscriptions that name it (RFC 8292). */
  readonly vapidPublicKey: string;
  /** Messages in these boxes are announced. */
  readonly boxes: readonly string[];
}

/** Reads `GET /info`. @returns undefined when the server does not push to browsers, or does not answer */
export async function readServerPush(): Promise<ServerPush | undefined> {
  try {
    const answer = await fetch(`${serverUrl}/info`);
    if (!answer.ok) return undefined;
    const { push } = (await answer.json()) as { push?: { vapidPublicKey?: unknown; boxes?: unknown } };
    const { vapidPublicKey, boxes } = push ?? {};
    if (typeof vapidPublicKey !== 'string') return undefined;
    return { vapidPublicKey, boxes: Array.isArray(boxes) ? boxes.map(String) : [] };
  } catch {
    return undefined;
  }
}
