import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FetchError, PublicFetch } from '@messagebox/shared';
import fc from 'fast-check';
import { GaspPeer, InvalidPeerAnswerError, PeerBudgetError } from '../../services/overlay/src/gasp/gasp-peer.js';
import { fuzzTest } from './support/fuzz-test.js';
import { mutatedBytes, mutatedJson } from './support/mutations.js';

const REFUSALS = [InvalidPeerAnswerError, PeerBudgetError, FetchError];
const TXID = 'ab'.repeat(32);
const LIMIT = 3;
const LIST = {
  UTXOList: [
    { txid: TXID, outputIndex: 0, score: 1_800_000_000_000 },
    { txid: 'cd'.repeat(32), outputIndex: 4_294_967_295, score: 0 },
    { txid: TXID, outputIndex: 1 },
  ],
  since: 0,
};
const NODE = { graphID: `${TXID}.0`, rawTx: '0100000000000000', outputIndex: 0, proof: 'fe01', txMetadata: '' };

/** A peer that answers everything with the same bytes. */
let peer: Server;
let answer: { readonly status: number; readonly body: string | Uint8Array };
let fetch: PublicFetch;
beforeAll(async () => {
  peer = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
  fetch = new PublicFetch('local');
});
afterAll(() => {
  peer.closeAllConnections();
  peer.close();
});

function openPeer(): GaspPeer {
  const { port } = peer.address() as AddressInfo;
  const limits = { requests: 2, bytes: 100_000, requestMs: 30_000 };
  return new GaspPeer(`http://127.0.0.1:${port}`, 'tm_messagebox', fetch, limits, new AbortController().signal);
}

/** The result, or undefined when the answer is refused. Anything else is a fault. */
async function ask<T>(given: typeof answer, question: (from: GaspPeer) => Promise<T>): Promise<T | undefined> {
  answer = given;
  try {
    return await question(openPeer());
  } catch (error) {
    expect(REFUSALS.some((type) => error instanceof type)).toBe(true);
    return undefined;
  }
}

const anyAnswer = (samples: readonly object[]) =>
  fc.record({
    status: fc.oneof(
      { weight: 9, arbitrary: fc.constant(200) },
      { weight: 1, arbitrary: fc.constantFrom(400, 404, 429, 500) },
    ),
    body: fc.oneof(
      { weight: 4, arbitrary: mutatedJson(samples).map((value) => JSON.stringify(value) ?? '') },
      { weight: 1, arbitrary: mutatedBytes(samples.map((sample) => Buffer.from(JSON.stringify(sample)))) },
    ),
  });

fuzzTest('any list of a peer is read as valid outputs or refused', 600, anyAnswer([LIST]), async (given) => {
  const list = await ask(given, (from) => from.listOutputs(0, LIMIT));
  if (list === undefined) return;
  expect(list.outputs.length).toBeLessThanOrEqual(LIMIT);
  for (const { txid, outputIndex, score } of list.outputs) {
    expect(txid).toMatch(/^[0-9a-f]{64}$/);
    expect(outputIndex).toBe(outputIndex >>> 0);
    expect(Number.isSafeInteger(score) && score >= 0).toBe(true);
  }
  expect(list.outputs.map(({ score }) => score)).toEqual(
    list.outputs.map(({ score }) => score).toSorted((a, b) => a - b),
  );
});

fuzzTest(
  'any node of a peer is read as bytes or refused',
  600,
  anyAnswer([NODE, { ...NODE, proof: null }]),
  async (given) => {
    const node = await ask(given, (from) => from.fetchNode(NODE.graphID, { txid: TXID, outputIndex: 0 }));
    if (node === undefined) return;
    expect(node.raw.length).toBeGreaterThan(0);
    expect(node.proof?.length).not.toBe(0);
  },
);
