import { P2PKH, PrivateKey, Transaction, UnlockingScript } from '@bsv/sdk';
import { broadcast, ChainUnavailableError, loadToolbox } from '@messagebox/transactions';
import { createNetworkServices } from '../src/network-services.js';

/** The answer of a service: a status and a body, or a connection error. */
type Answer = { readonly status: number; readonly statusText?: string; readonly data: unknown } | Error;

interface Internet {
  readonly arc: Answer;
  readonly bitails: Answer;
  readonly whatsOnChain: Answer;
  /** WhatsOnChain's answer about the state of the transaction. */
  readonly state: Answer;
}

const transaction = new Transaction();
transaction.addInput({
  sourceTXID: '11'.repeat(32),
  sourceOutputIndex: 0,
  unlockingScript: UnlockingScript.fromHex('51'),
  sequence: 0xffffffff,
});
transaction.addOutput({ satoshis: 1, lockingScript: new P2PKH().lock(PrivateKey.fromRandom().toAddress()) });
const txid = transaction.id('hex');

const RESET = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
const BUSY: Answer = { status: 429, statusText: 'Busy', data: 'slow down' };
const DOWN: Answer = { status: 503, data: 'down' };
const UNKNOWN: Answer = { status: 200, data: [{ txid, error: 'unknown' }] };
const KNOWN: Answer = { status: 200, data: [{ txid }] };
const nowhere: Internet = { arc: RESET, bitails: RESET, whatsOnChain: RESET, state: UNKNOWN };
const arc = (txStatus: string, more: object = {}): Answer => ({
  status: 200,
  data: { txid, txStatus, extraInfo: '', ...more },
});
const bitails = (error?: object): Answer => ({ status: 201, data: [{ txid, ...(error && { error }) }] });
const woc = (data: string): Answer => ({ status: 400, statusText: 'Bad Request', data });

/** The toolbox's services of main, with these answers from the internet. */
async function ask(answers: Partial<Internet>) {
  const { Services, sdk } = await loadToolbox();
  const given = { ...nowhere, ...answers };
  const answerTo = (url: string): Answer => {
    if (url.includes('/txs/status')) return given.state;
    if (url.includes('bitails')) return given.bitails;
    return url.includes('whatsonchain') ? given.whatsOnChain : given.arc;
  };
  const httpClient = {
    request: async (url: string) => {
      const answer = answerTo(url);
      if (answer instanceof Error) throw answer;
      return { statusText: 'OK', ...answer, ok: answer.status < 300 };
    },
  };
  const services = new Services('main');
  const { arcTaal, arcGorillaPool, bitails, whatsonchain } = services;
  for (const service of [arcTaal, arcGorillaPool, bitails, whatsonchain])
    Object.assign(service as object, { httpClient });
  const beef = new sdk.Beef();
  beef.mergeRawTx(transaction.toBinary());
  const bytes = Uint8Array.from(beef.toBinary());
  return broadcast(createNetworkServices(services), txid, bytes, { count: 2, pauseMs: 1 });
}

test.each<[string, Partial<Internet>]>([
  ['ARC has seen it on the network', { arc: arc('SEEN_ON_NETWORK') }],
  ['ARC has seen it in a block', { arc: arc('MINED') }],
  ['Bitails accepts it', { bitails: bitails() }],
  ['Bitails has it', { bitails: bitails({ code: -27, message: 'already-in-mempool' }) }],
  ['WhatsOnChain accepts it', { whatsOnChain: { status: 200, data: txid } }],
  ['ARC has only stored it, and the network has it', { arc: arc('STORED'), state: KNOWN }],
  ['only the service that knows the state can be reached', { state: KNOWN }],
  [
    'it is in a block, whatever ARC says',
    { arc: arc('REJECTED'), state: { status: 200, data: [{ txid, confirmations: 3 }] } },
  ],
])('accepts a transaction when %s', async (_what, answers) => {
  expect(await ask(answers)).toBe('accepted');
});

test.each<[string, Partial<Internet>, string]>([
  ['ARC rejects it', { arc: arc('REJECTED') }, 'it is not valid'],
  ['a fee is too low for ARC', { arc: { status: 465, data: { detail: 'fee too low' } } }, 'it is not valid'],
  [
    'ARC names a rival',
    { arc: arc('DOUBLE_SPEND_ATTEMPTED', { competingTxs: ['22'.repeat(32)] }) },
    'it spends what is spent already',
  ],
  [
    'a node of WhatsOnChain has a rival',
    { whatsOnChain: woc('unexpected response code 500: 258: txn-mempool-conflict') },
    'it spends what is spent already',
  ],
])('refuses a transaction when %s', async (_what, answers, refused) => {
  expect(await ask(answers)).toEqual({ refused });
  // The network cannot be asked whether it has the transaction, so the transaction is not refused.
  await expect(ask({ ...answers, state: BUSY })).rejects.toThrow(ChainUnavailableError);
});

test.each<[string, Partial<Internet>]>([
  ['no service can be reached', {}],
  ['ARC cannot be reached, and Bitails is busy', { arc: DOWN, bitails: BUSY }],
  ['ARC misses an ancestor', { arc: arc('SEEN_IN_ORPHAN_MEMPOOL') }],
  ['Bitails misses an ancestor', { arc: DOWN, bitails: bitails({ code: -25, message: 'missing-inputs' }) }],
  ['WhatsOnChain misses an ancestor', { whatsOnChain: woc('unexpected response code 500: Missing inputs') }],
  ['WhatsOnChain fails', { whatsOnChain: { status: 500, data: 'oops' } }],
  ['ARC has only stored it, and the network does not have it', { arc: arc('ANNOUNCED_TO_NETWORK') }],
  ['ARC answers something new', { arc: arc('SOMETHING_NEW') }],
  [
    'all fail, and what the network has can’t be found out',
    { arc: DOWN, bitails: DOWN, whatsOnChain: DOWN, state: DOWN },
  ],
])('throws a retriable error when %s', async (_what, answers) => {
  await expect(ask(answers)).rejects.toThrow(ChainUnavailableError);
});
