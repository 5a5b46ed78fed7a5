import { type BroadcastServices, type BroadcastVerdict, broadcast } from '../src/chain/broadcast.js';
import { ChainUnavailableError } from '../src/index.js';

const TXID = 'aa'.repeat(32);
const beef = Uint8Array.of(1);
const LOOKS = { count: 3, pauseMs: 1 };

/** Services with these verdicts, on a network that has the transaction from the nth poll on. */
function services(verdicts: BroadcastVerdict[], hasFrom = Number.POSITIVE_INFINITY) {
  let looks = 0;
  const asked: BroadcastServices = {
    post: async () => verdicts,
    has: async () => {
      looks += 1;
      return looks >= hasFrom;
    },
  };
  return { ...asked, looks: () => looks };
}

const give = (to: BroadcastServices) => broadcast(to, TXID, beef, LOOKS);

test.each<[string, BroadcastVerdict[]]>([
  ['one service accepts it', ['taken']],
  ['one service accepts it after others failed', ['unknown', 'invalid', 'taken']],
])('accepts a transaction without polls when %s', async (_what, verdicts) => {
  const asked = services(verdicts);
  expect(await give(asked)).toBe('accepted');
  expect(asked.looks()).toBe(0);
});

test.each<[string, BroadcastVerdict[], string]>([
  ['one service finds it invalid', ['invalid'], 'it is not valid'],
  ['one service finds it invalid and others are down', ['unknown', 'invalid'], 'it is not valid'],
  ['one service finds a double spend', ['double spend'], 'it spends what is spent already'],
  [
    'one service finds a double spend and another one accepts it',
    ['taken', 'double spend'],
    'it spends what is spent already',
  ],
])('refuses a transaction that the network does not have when %s', async (_what, verdicts, refused) => {
  expect(await give(services(verdicts))).toEqual({ refused });
  expect(await give(services(verdicts, 1))).toBe('accepted');
});

test('polls for a transaction that a service has only stored, and then throws a retriable error', async () => {
  expect(await give(services(['pending'], 3))).toBe('accepted');
  const never = services(['pending']);
  await expect(give(never)).rejects.toThrow(ChainUnavailableError);
  expect(never.looks()).toBe(3);
  expect(await give(services(['pending', 'invalid']))).toEqual({ refused: 'it is not valid' });
});

test('throws a retriable error without any verdict, unless the network has the transaction', async () => {
  for (const verdicts of [[], ['unknown'], ['unknown', 'unknown']] satisfies BroadcastVerdict[][]) {
    await expect(give(services(verdicts))).rejects.toThrow(ChainUnavailableError);
    expect(await give(services(verdicts, 1))).toBe('accepted');
  }
});

test.each<BroadcastVerdict>(['invalid', 'double spend', 'unknown'])(
  'what the network has can’t be found out: %s refuses nothing',
  async (verdict) => {
    const unsure = { ...services([verdict]), has: () => Promise.reject(new Error('away')) };
    await expect(give(unsure)).rejects.toThrow(ChainUnavailableError);
  },
);

test('throws a retriable error when the services cannot be asked', async () => {
  const failing = { ...services(['invalid']), post: () => Promise.reject(new Error('away')) };
  await expect(give(failing)).rejects.toThrow(ChainUnavailableError);
});
