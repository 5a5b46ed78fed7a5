import { createHash } from 'node:crypto';
import type { WebPushKeys } from '@messagebox/store';
import type { Push } from '../push-outcome.js';

/** How this server is known to push services (VAPID, RFC 8292). */
export interface VapidIdentity {
  readonly publicKey: string;
  readonly privateKey: string;
  /** A mailto: or https: URL. */
  readonly subject: string;
}

/** A request to a push service (RFC 8030, 5). */
export interface PushRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** Encrypted for the browser (aes128gcm, RFC 8291). */
  readonly body: Uint8Array;
}

/** A push service keeps a push no longer than this. */
const MAX_TTL_SECONDS = 86_400;
/** Younger messages wake a sleeping device up. */
const URGENT_MS = 3_600_000;
/** A push service takes 4,096 bytes, of which the encryption needs 103. */
const MAX_PAYLOAD_BYTES = 3_900;

/** Encrypts a push for a browser, and signs it for its push service. */
export async function createPushRequest(
  push: Push,
  keys: WebPushKeys,
  vapid: VapidIdentity,
  now = Date.now(),
): Promise<PushRequest> {
  const { default: webPush } = await import('web-push');
  const subscription = { endpoint: push.token, keys: { ...keys } };
  const { headers, body } = webPush.generateRequestDetails(subscription, createPayload(push), {
    vapidDetails: { ...vapid },
    contentEncoding: 'aes128gcm',
    TTL: computeTtlSeconds(push, now),
    topic: createTopic(push),
    urgency: now - push.createdAt < URGENT_MS ? 'high' : 'normal',
  });
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  // The HTTP client counts the bytes itself.
  return { headers: Object.fromEntries(entries.filter(([name]) => name !== 'content-length')), body };
}

/** What the browser's service worker gets, as JSON. It never holds the message's body. */
function createPayload({ title, text, messageId, messageBox, recipient, originator: sender }: Push): string {
  const data = { messageId, messageBox, recipient, sender };
  const payload = JSON.stringify({ title, body: text, data });
  return Buffer.byteLength(payload) <= MAX_PAYLOAD_BYTES ? payload : JSON.stringify({ title, body: '', data });
}

/** Until the message expires, and a day at most. */
function computeTtlSeconds({ expiresAt }: Push, now: number): number {
  const left = expiresAt === undefined ? MAX_TTL_SECONDS : Math.floor((expiresAt - now) / 1_000);
  return Math.min(MAX_TTL_SECONDS, Math.max(0, left));
}

/**
 * The same for each push of one message, so that a push service replaces a repeated one that still waits (RFC 8030, 5.4). 32
 * characters, the most there may be.
 */
function createTopic({ recipient, messageId }: Push): string {
  return createHash('sha256').update(`${recipient} ${messageId}`).digest().subarray(0, 24).toString('base64url');
}
