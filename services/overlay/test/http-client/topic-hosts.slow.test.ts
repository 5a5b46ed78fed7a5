import { LockingScript, Transaction, UnlockingScript } from '@bsv/sdk';
import { type BoundedRequest, createLogger, PublicFetch } from '@messagebox/shared';
import { parseTransaction, serializeBeef } from '@messagebox/transactions';
import { findPeers } from '../../src/gasp/find-peers.js';
import { TopicHosts } from '../../src/http-client/topic-hosts.js';
import { TestChain, toBeefBytes } from '../support/chain.js';
import { type Answer, endlessAnswer, type FakePeer, jsonAnswer, startPeer } from '../support/fake-peer.js';
import { type Host, startHost } from '../support/host.js';
import { Person } from '../support/person.js';

const SOMEBODY = 'https://somebody.mailboxes.org';

const chain = new TestChain();
const person = new Person();
const silent = createLogger('test', 'info', { write: () => {} });
const closers: (() => unknown)[] = [];
let fetch: PublicFetch;
let tracker: Host;

beforeEach(async () => {
  fetch = new PublicFetch('local');
  closers.push(() => fetch.close());
  tracker = await overlay();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function overlay(): Promise<Host> {
  const host = await startHost(chain, { network: 'local' });
  closers.push(() => host.close());
  return host;
}

async function stranger(lookup: Answer): Promise<FakePeer> {
  const peer = await startPeer({ '/lookup': lookup });
  closers.push(() => peer.close());
  return peer;
}

/** Stores advertisements: SLAP for hosts to ask, SHIP for hosts of a topic. */
async function advertise(at: Host, protocol: 'SHIP' | 'SLAP', name: string, ...urls: string[]): Promise<void> {
  const scripts = await Promise.all(urls.map((url) => person.serviceAd(protocol, url, name)));
  const transaction = await person.transaction(chain, scripts);
  await at.engine.apply(toBeefBytes(transaction), [protocol === 'SHIP' ? 'tm_ship' : 'tm_slap']);
}

const find = async (trackers: readonly string[], topics = ['tm_messagebox']) => {
  const found = await new TopicHosts({ fetch, network: 'local', trackers, log: silent }).find(topics);
  return found.map(({ topic, host }) => `${topic} ${host}`).sort();
};

/** A transaction with 60 generations of ancestors, each spending both outputs of the one before: 2^60 paths. */
function diamonds(script: LockingScript): { readonly txid: string; readonly beef: Buffer } {
  const all: ReturnType<typeof parseTransaction>[] = [];
  for (let level = 0; level < 60; level += 1) {
    const below = all.at(-1)?.txid ?? '11'.repeat(32);
    const transaction = new Transaction();
    for (const sourceOutputIndex of [0, 1]) {
      const unlockingScript = UnlockingScript.fromASM('OP_1');
      transaction.addInput({ sourceTXID: below, sourceOutputIndex, unlockingScript, sequence: 0xffffffff });
      transaction.addOutput({ lockingScript: level === 59 ? script : LockingScript.fromASM('OP_1'), satoshis: 1 });
    }
    all.push(parseTransaction(transaction.toUint8Array()));
  }
  return { txid: all.at(-1)?.txid ?? '', beef: serializeBeef(all.map((one) => ({ ...one, proof: undefined }))) };
}

describe('TopicHosts', () => {
  test('asks the trackers, and the hosts that the trackers know', async () => {
    const other = await overlay();
    await advertise(tracker, 'SLAP', 'ls_ship', `${other.url}/`, 'http://127.0.0.1:1');
    await advertise(tracker, 'SHIP', 'tm_messagebox', SOMEBODY, `${SOMEBODY}/`);
    await advertise(other, 'SHIP', 'tm_messagebox', 'https://other.mailboxes.org/api/');
    await advertise(other, 'SHIP', 'tm_slap', SOMEBODY);
    expect(await find([tracker.url])).toEqual([
      'tm_messagebox https://other.mailboxes.org/api',
      `tm_messagebox ${SOMEBODY}`,
      `tm_messagebox ${SOMEBODY}`,
    ]);
    expect(await find([tracker.url], ['tm_slap'])).toEqual([`tm_slap ${SOMEBODY}`]);
    expect(await find([])).toEqual([]);
    expect(await find(['http://127.0.0.1:1'])).toEqual([]);
  });

  test.each(['plain', 'aggregated'])(
    'reads an answer with entangled ancestors (%s) in bounded time, and uses the others',
    async (form) => {
      // One answer is of a host, one of a tracker.
      const { txid, beef } = diamonds(await person.serviceAd('SLAP', SOMEBODY, 'ls_messagebox'));
      const hostile = await stranger(
        form === 'plain'
          ? jsonAnswer({ type: 'output-list', outputs: [{ beef: [...beef], outputIndex: 0 }] })
          : (response) => {
              response.writeHead(200, { 'content-type': 'application/octet-stream' });
              response.end(Buffer.concat([Buffer.of(1), Buffer.from(txid, 'hex'), Buffer.of(0, 0), beef]));
            },
      );
      await advertise(tracker, 'SLAP', 'ls_ship', hostile.url);
      await advertise(tracker, 'SHIP', 'tm_messagebox', SOMEBODY);
      expect(await find([tracker.url])).toEqual([`tm_messagebox ${SOMEBODY}`]);
      expect(hostile.asked).toEqual(['/lookup']);
      expect(await find([hostile.url, tracker.url])).toEqual([`tm_messagebox ${SOMEBODY}`]);
    },
  );

  test.each<[string, Answer]>([
    ['without an end', endlessAnswer('application/octet-stream')],
    ['that is none', jsonAnswer(null)],
    ['that is an error', jsonAnswer({}, 500)],
    ['of another kind of advertisement', (response) => response.end('{"outputs":[{"beef":[1],"outputIndex":0}]}')],
  ])('ignores an answer %s, and uses the others', async (_name, answer) => {
    const hostile = await stranger(answer);
    await advertise(tracker, 'SLAP', 'ls_ship', hostile.url);
    await advertise(tracker, 'SHIP', 'tm_messagebox', SOMEBODY);
    expect(await find([tracker.url, hostile.url])).toEqual([`tm_messagebox ${SOMEBODY}`]);
  });

  test('asks a few of many hosts, and limits the bytes of all answers to one query', async () => {
    const asked: { readonly url: string; readonly maxBytes: number }[] = [];
    class Counting extends PublicFetch {
      override async request(url: string, options: BoundedRequest = {}) {
        asked.push({ url, maxBytes: options.maxBytes ?? 0 });
        if (url.startsWith(tracker.url)) return await super.request(url, options);
        throw new Error('no answer');
      }
    }
    fetch = new Counting('local');
    closers.push(() => fetch.close());
    const many = Array.from({ length: 60 }, (_, i) => `https://host-${i}.mailboxes.org`);
    await advertise(tracker, 'SLAP', 'ls_ship', ...many);
    await advertise(tracker, 'SHIP', 'tm_messagebox', SOMEBODY);
    expect(await find([tracker.url])).toEqual([`tm_messagebox ${SOMEBODY}`]);
    const [first, ...then] = asked;
    expect(first).toEqual({ url: `${tracker.url}/lookup`, maxBytes: 4_000_000 });
    expect(new Set(then.map(({ url }) => url)).size).toBe(17);
    expect(then.reduce((sum, { maxBytes }) => sum + maxBytes, 0)).toBeLessThanOrEqual(16_000_000);
  });
});

test.each(['messagebox.example', 'not a host', '', 'https://x.com:99999', 'https://[x]'])(
  'finds peers when the name of this host is invalid (%j)',
  async (self) => {
    const parts = { sql: tracker.sql, fetch, network: 'local', trackers: [], log: silent } as const;
    const peers = await findPeers(['tm_ship'], { ...parts, peers: [SOMEBODY], self: [self] });
    expect([...peers]).toEqual([['tm_ship', [SOMEBODY]]]);
  },
);
