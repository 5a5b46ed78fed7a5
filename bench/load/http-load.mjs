import { percentiles } from '../lib/numbers.mjs';
import { answerParent } from '../lib/rpc.mjs';
import { HttpClient } from './http-client.mjs';
import { Messages } from './messages.mjs';

const LIST_EMPTY_BOX = Buffer.from(JSON.stringify({ messageBox: 'inbox' }));
/** Only one in so many responses is verified. Verifying all of them would make this process as busy as the server. */
const VERIFY_EACH = 50;

const messages = new Messages();
const operations = {
  send: { path: '/sendMessage', body: () => messages.next() },
  // Nothing is sent to the senders, so this box is always empty.
  list: { path: '/listMessages', body: () => LIST_EMPTY_BOX },
};

/** @type {Map<string, HttpClient[]>} */
const clients = new Map();

answerParent({
  /** Opens connections to a server, each with its own identity, and makes their handshakes. */
  async connect({ url, connections }) {
    clients.set(url, await Promise.all(Array.from({ length: connections }, () => HttpClient.open(url))));
  },

  /** Sends one request after another on every connection, until the time is up or the number is reached. */
  async run({ url, operation, seconds, most = Number.POSITIVE_INFINITY }) {
    const { path, body } = operations[operation];
    const cpu = process.cpuUsage();
    const start = performance.now();
    const end = start + seconds * 1000;
    const latencies = [];
    let sent = 0;
    let verified = 0;
    await Promise.all(
      (clients.get(url) ?? []).map(async (client) => {
        while (sent < most && performance.now() < end) {
          const verify = sent++ % VERIFY_EACH === 0;
          const request = body();
          const before = performance.now();
          const answer = await client.post(path, request, verify);
          latencies.push(performance.now() - before);
          if (!verify) continue;
          verified += 1;
          if (JSON.parse(answer.toString()).status !== 'success') throw new Error(`${path} responded with ${answer}`);
        }
      }),
    );
    const elapsedMs = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return {
      count: latencies.length,
      verified,
      perSecond: latencies.length / (elapsedMs / 1000),
      loadCpuShare: (user + system) / 1000 / elapsedMs,
      ...percentiles(latencies),
    };
  },

  disconnect({ url }) {
    for (const client of clients.get(url) ?? []) client.close();
    clients.delete(url);
  },
});
