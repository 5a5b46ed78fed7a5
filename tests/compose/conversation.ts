import { randomUUID } from 'node:crypto';
import type { EventHistory } from '../acceptance/history.js';
import type { LiveSocket, PushedEvent } from '../acceptance/live-socket.js';
import type { Person } from '../acceptance/people.js';
import { edgeUrl } from './stack.js';

export const BOX = 'conversation';
const REPEAT_PAUSE_MS = 100;
const MAX_SEND_MS = 60_000;
const ACK_TIMEOUT_MS = 2_000;

/** The outcomes of one way of sending. */
export interface Sent {
  readonly acknowledged: Set<string>;
  /** Tries that failed: when, and why. The sender repeats them with the same id. */
  readonly failures: { readonly at: number; readonly reason: string }[];
  slowestMs: number;
}

export function createSent(): Sent {
  return { acknowledged: new Set(), failures: [], slowestMs: 0 };
}

/** A socket that says who it is whenever it has a connection, as the clients of message boxes do. */
export interface Faithful {
  readonly socket: LiveSocket;
  readonly pushes: EventHistory<PushedEvent>;
  /** How often it has connected. */
  readonly connects: () => number;
}

/**
 * @param rejoins whether the client joins its room again by itself when it is back, as today's clients do. The server puts
 *   others back into their rooms. It pushes to both what they have missed
 */
export function openFaithful(person: Person, rejoins = false): Faithful {
  const socket = person.createSocket(edgeUrl, { reconnectionDelay: 100, reconnectionDelayMax: 500 });
  let connects = 0;
  socket.client.on('connect', () => {
    connects += 1;
    socket.client.emit('authenticated', { identityKey: person.key });
    if (connects === 1 || rejoins) socket.client.emit('joinRoom', `${person.key}-${BOX}`);
  });
  return {
    socket,
    pushes: socket.events<PushedEvent>(`sendMessage-${person.key}-${BOX}`),
    connects: () => connects,
  };
}

export async function sendOverHttp(from: Person, to: Person, messageId: string): Promise<void> {
  const answer = await from.send(edgeUrl, { recipient: to.key, messageBox: BOX, messageId, body: 'over HTTP' });
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
}

export async function sendLive(socket: LiveSocket, to: Person, messageId: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no ack')), ACK_TIMEOUT_MS);
  });
  const sent = socket.send(to.key, BOX, messageId, 'live');
  sent.catch(() => {}); // its own patience ends later
  const ack = await Promise.race([sent, late]).finally(() => clearTimeout(timer));
  if (ack.status !== 'success') throw new Error(`${ack.code} ${ack.description}`);
}

/** Sends until it is acknowledged, each time with the same id. */
export async function persist(sent: Sent, send: (messageId: string) => Promise<void>): Promise<void> {
  const messageId = randomUUID();
  const from = Date.now();
  for (;;) {
    try {
      await send(messageId);
      sent.acknowledged.add(messageId);
      sent.slowestMs = Math.max(sent.slowestMs, Date.now() - from);
      return;
    } catch (error) {
      sent.failures.push({ at: Date.now(), reason: (error as Error).message });
      if (Date.now() - from > MAX_SEND_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, REPEAT_PAUSE_MS));
    }
  }
}

export function summary(name: string, sent: Sent): string {
  return `${name}: ${sent.acknowledged.size} acknowledged, ${sent.failures.length} repeated, slowest ${sent.slowestMs} ms`;
}

/** All ids in the box, page by page. */
export async function listAllMessages(person: Person): Promise<string[]> {
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = await person.page(edgeUrl, BOX, { limit: 1_000, ...(after === undefined ? {} : { after }) });
    ids.push(...page.messages.map(({ messageId }) => messageId));
    after = page.hasMore === true ? page.next : undefined;
  } while (after !== undefined);
  return ids;
}
