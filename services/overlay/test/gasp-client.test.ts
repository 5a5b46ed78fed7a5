import { OverlayGASPRemote } from '@bsv/overlay/GASP/OverlayGASPRemote.ts';
import { TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person } from './support/person.js';

const chain = new TestChain();
let host: Host;

beforeAll(async () => {
  host = await startHost(chain);
});
afterAll(() => host.close());

test('the published GASP client lists outputs, and fetches a transaction and its ancestor', async () => {
  const alice = new Person();
  const ad = await alice.advertise(chain, 'https://a.mailboxes.org');
  const funding = ad.inputs[0]?.sourceTransaction;
  const before = Date.now();
  await host.engine.apply(toBeefBytes(ad), ['tm_messagebox']);

  const remote = new OverlayGASPRemote(host.url, 'tm_messagebox');
  const { UTXOList, since } = await remote.getInitialResponse({ version: 1, since: 0 });
  const txid = ad.id('hex');
  expect(since).toBe(0);
  expect(UTXOList).toEqual([{ txid, outputIndex: 0, score: expect.any(Number) }]);
  expect(UTXOList[0]?.score).toBeGreaterThanOrEqual(before);
  expect((await remote.getInitialResponse({ version: 1, since: Date.now() + 60_000 })).UTXOList).toEqual([]);

  const graph = `${txid}.0`;
  expect(await remote.requestNode(graph, txid, 0, true)).toMatchObject({
    graphID: graph,
    outputIndex: 0,
    rawTx: ad.toHex(),
    proof: undefined,
  });
  expect(await remote.requestNode(graph, funding?.id('hex') ?? '', 0, true)).toMatchObject({
    rawTx: funding?.toHex(),
    proof: funding?.merklePath?.toHex(),
  });
  await expect(remote.requestNode(graph, 'ab'.repeat(32), 0, false)).rejects.toThrow('404');
  await expect(new OverlayGASPRemote(host.url, 'tm_x').getInitialResponse({ version: 1, since: 0 })).rejects.toThrow(
    '400',
  );
});
