import { percentiles } from '../lib/numbers.mjs';
import { answerParent } from '../lib/rpc.mjs';
import { encryptedLikeBody, freshId } from './messages.mjs';
import { SocketClient } from './socket-client.mjs';

const VERIFY_EACH = 20;
const OPENING_AT_ONCE = 50;
const DELIVERY_PATIENCE_MS = 20_000;

/** @type {SocketClient} */
let sender;
/** @type {SocketClient} */
let listener;
/** @type {SocketClient[]} */
let idle = [];
const bodies = Array.from({ length: 64 }, encryptedLikeBody);

answerParent({
  /** The one who sends and the one who listens. */
  async connectPair({ url }) {
    sender = await SocketClient.open(url, { verifyEach: VERIFY_EACH });
    listener = await SocketClient.open(url, { verifyEach: VERIFY_EACH });
  },

  /** Sockets that are authenticated, have joined a room of their own, and do nothing more. */
  async openIdle({ url, count }) {
    while (idle.length < count) {
      const batch = Math.min(OPENING_AT_ONCE, count - idle.length);
      idle.push(...(await Promise.all(Array.from({ length: batch }, () => SocketClient.open(url)))));
    }
  },

  closeIdle() {
    for (const socket of idle) socket.close();
    idle = [];
  },

  /** Pings that the idle sockets have had, and how many of them are still there. */
  idleState() {
    return {
      pings: idle.reduce((sum, socket) => sum + socket.pings, 0),
      connected: idle.filter((socket) => socket.connected).length,
    };
  },

  /** Sends live messages, so many under way at once, until the time is up and all have been acknowledged and pushed. */
  async run({ seconds, inFlight }) {
    const room = listener.room;
    const end = performance.now() + seconds * 1000;
    /** @type {Map<string, {sentAt: number, acknowledged: boolean, pushed: boolean, done: () => void}>} */
    const underWay = new Map();
    const latencies = [];
    let count = 0;
    const settle = (messageId, what) => {
      const message = underWay.get(messageId);
      if (message === undefined) return;
      if (what === 'pushed') latencies.push(performance.now() - message.sentAt);
      message[what] = true;
      if (!message.acknowledged || !message.pushed) return;
      underWay.delete(messageId);
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
          const timer = setTimeout(() => reject(new Error('A live message got lost')), DELIVERY_PATIENCE_MS);
          const done = () => {
            clearTimeout(timer);
            resolve(undefined);
          };
          underWay.set(messageId, { sentAt: performance.now(), acknowledged: false, pushed: false, done });
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
