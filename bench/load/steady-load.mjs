import { answerParent } from '../lib/rpc.mjs';
import { randomIdentity } from './auth-client.mjs';
import { HttpClient } from './http-client.mjs';
import { encryptedLikeBody, freshId } from './messages.mjs';
import { SocketClient } from './socket-client.mjs';

const BOX = 'inbox';
const PUSH_TIMEOUT_MS = 30_000;
const TICK_MS = 20;
const VERIFY_EACH = 20;
const bodies = Array.from({ length: 64 }, encryptedLikeBody);

const counts = { sent: 0, pushed: 0, twice: 0, acknowledged: 0 };
/** @type {Record<string, number>} */
const errors = {};

/** One sender, and one recipient that listens and acknowledges. It handles one message after the other. */
class Lane {
  #sender;
  #recipient;
  #listener;
  /** @type {{ messageId: string, arrived: () => void } | undefined} */
  #awaited;
  #lastId = '';
  #round = 0;

  static async open({ apiUrl, realtimeUrl }) {
    const identity = randomIdentity();
    return new Lane(
      await HttpClient.open(apiUrl),
      await HttpClient.open(apiUrl, identity),
      await SocketClient.open(realtimeUrl, { box: BOX, verifyEach: VERIFY_EACH, identity }),
    );
  }

  constructor(sender, recipient, listener) {
    this.#sender = sender;
    this.#recipient = recipient;
    this.#listener = listener;
    listener.on(`sendMessage-${listener.room}`, ({ messageId }) => {
      if (messageId === this.#awaited?.messageId) this.#awaited?.arrived();
      else if (messageId === this.#lastId) counts.twice += 1;
    });
  }

  /** Sends a message, waits until it is pushed, and acknowledges it. Counts an error, and never throws. */
  async pass() {
    const messageId = freshId();
    const verify = this.#round++ % VERIFY_EACH === 0;
    try {
      const pushed = this.#expect(messageId);
      const message = {
        messageId,
        messageBox: BOX,
        recipient: this.#listener.identityKey,
        body: bodies[this.#round % bodies.length],
      };
      await Promise.all([pushed, this.#sender.post('/sendMessage', toJson({ message }), verify)]);
      counts.sent += 1;
      counts.pushed += 1;
      await this.#recipient.post('/acknowledgeMessage', toJson({ messageIds: [messageId] }), verify);
      counts.acknowledged += 1;
    } catch (error) {
      const text = error instanceof Error ? error.message.slice(0, 120) : String(error);
      errors[text] = (errors[text] ?? 0) + 1;
    }
  }

  close() {
    this.#sender.close();
    this.#recipient.close();
    this.#listener.close();
  }

  #expect(messageId) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('A message was not pushed')), PUSH_TIMEOUT_MS);
      const arrived = () => {
        clearTimeout(timer);
        this.#lastId = messageId;
        this.#awaited = undefined;
        resolve(undefined);
      };
      this.#awaited = { messageId, arrived };
    });
  }
}

const toJson = (/** @type {unknown} */ value) => Buffer.from(JSON.stringify(value));

/** @type {Lane[]} */
let lanes = [];
/** @type {(() => Promise<void>) | undefined} */
let endSteady;

answerParent({
  async open({ apiUrl, realtimeUrl, count }) {
    lanes = await Promise.all(Array.from({ length: count }, () => Lane.open({ apiUrl, realtimeUrl })));
  },

  /** Passes messages on all lanes as fast as they go. @returns messages per second */
  async measureCapacity({ seconds }) {
    const start = performance.now();
    const end = start + seconds * 1000;
    let count = 0;
    await Promise.all(
      lanes.map(async (lane) => {
        while (performance.now() < end) {
          await lane.pass();
          count += 1;
        }
      }),
    );
    return count / ((performance.now() - start) / 1000);
  },

  /** Passes so many messages a second until `end`, whatever the server does. What no lane is free for waits. */
  begin({ perSecond }) {
    const free = [...lanes];
    const busy = new Set();
    const start = performance.now();
    let begun = 0;
    const tick = () => {
      const due = Math.floor(((performance.now() - start) / 1000) * perSecond);
      for (; begun < due && free.length > 0; begun++) {
        const lane = /** @type {Lane} */ (free.shift());
        const passing = lane.pass().then(() => {
          busy.delete(passing);
          free.push(lane);
        });
        busy.add(passing);
      }
      waiting = due - begun;
    };
    let waiting = 0;
    const timer = setInterval(tick, TICK_MS);
    readWaiting = () => waiting;
    endSteady = async () => {
      clearInterval(timer);
      await Promise.all(busy);
    };
  },

  state: () => ({ ...counts, waiting: readWaiting(), errors: { ...errors } }),

  /** Stops, and waits for what is under way. */
  async end() {
    await endSteady?.();
    for (const lane of lanes) lane.close();
  },
});

let readWaiting = () => 0;
