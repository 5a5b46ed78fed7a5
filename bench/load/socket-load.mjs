import { percentiles } from '../lib/numbers.mjs';
import { answerParent } from '../lib/rpc.mjs';
import { encryptedLikeBody, freshId } from './messages.mjs';
import { SocketClient } from './socket-client.mjs';

const VERIFY_EACH = 20;
const OPEN_BATCH_SIZE = 50;
const MAX_OPEN_ATTEMPTS = 10;
const OPEN_RETRY_MS = 2_000;
const DELIVERY_TIMEOUT_MS = 20_000;

/** @type {SocketClient} */
let sender;
/** @type {SocketClient} */
let listener;
/** @type {SocketClient[]} */
let idle = [];
const bodies = Array.from({ length: 64 }, encryptedLikeBody);

answerParent({
  /** Connects the sender and the listener. */
  async connectPair({ url }) {
    sender = await SocketClient.open(url, { verifyEach: VERIFY_EACH });
    listener = await SocketClient.open(url, { verifyEach: VERIFY_EACH });
  },

  /** Opens sockets that authenticate, join their own room, and then stay idle. */
  async openIdle({ url, count }) {
    while (idle.length < count) {
      const batch = Math.min(OPEN_BATCH_SIZE, count - idle.length);
      idle.push(...(await Promise.all(Array.from({ length: batch }, () => openPatiently(url)))));
    }
  },

  closeIdle() {
    for (const socket of idle) socket.close();
    idle = [];
  },

  /** Returns how many pings the idle sockets have received, and how many of them are still connected. */
  idleState() {
    return {
      pings: idle.reduce((sum, socket) => sum + socket.pings, 0),
      connected: idle.filter((socket) => socket.connected).length,
    };
  },

  /** Sends live messages, `inFlight` at once, until the time is up and all messages are acknowledged and pushed. */
  async run({ seconds, inFlight }) {
    const room = listener.room;
    const end = performance.now() + seconds * 1000;
    /** @type {Map<string, {sentAt: number, acknowledged: boolean, pushed: boolean, done: () => void}>} */
    const pending = new Map();
    const latencies = [];
    let count = 0;
    const settle = (messageId, what) => {
      const message = pending.get(messageId);
      if (message === undefined) return;
      if (what === 'pushed') latencies.push(performance.now() - message.sentAt);
      message[what] = true;
      if (!message.acknowledged || !message.pushed) return;
      pending.delete(messageId);
      message.done();
    };
    listener.on(`sendMessage-${room}`, ({ messageId }) => settle(messageId, 'pushed'));
    const failed = new Promise((_, reject) => {
      sender.on(`sendMessageAck-${room}`, ({ status, messageId, description }) => {
        if (status === 'success') settle(messageId, 'acknowledged');
        else reject(new Error(`A live message was refused: ${description}`));
      });
    });
    const cpu = process.cpuUsage();
    const start = performance.now();
    const sending = Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        const messageId = freshId();
        await new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Error('A live message was lost')), DELIVERY_TIMEOUT_MS);
          const done = () => {
            clearTimeout(timer);
            resolve(undefined);
          };
          pending.set(messageId, { sentAt: performance.now(), acknowledged: false, pushed: false, done });
          const message = { messageId, recipient: listener.identityKey, body: bodies[count % bodies.length] };
          sender.emit('sendMessage', { roomId: room, message });
        });
        count += 1;
      }
    });
    await Promise.race([Promise.all(sending), failed]);
    const elapsedMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return {
      count,
      perSecond: count / (elapsedMs / 1000),
      loadCpuShare: (user + system) / 1000 / elapsedMs,
      ...percentiles(latencies),
    };
  },
});

/** A server that is opened many sockets at refuses some: what waits longer than 10 s is told to come again. */
async function openPatiently(/** @type {string} */ url) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await SocketClient.open(url);
    } catch (error) {
      if (attempt === MAX_OPEN_ATTEMPTS) throw error;
      await new Promise((done) => setTimeout(done, OPEN_RETRY_MS));
    }
  }
}
