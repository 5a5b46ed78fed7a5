import { type BroadcastServices, broadcast, type Verdict } from '../src/chain/broadcast.js';
import { ChainUnavailableError } from '../src/index.js';

const TXID = 'aa'.repeat(32);
const beef = Uint8Array.of(1);
const LOOKS = { count: 3, pauseMs: 1 };

/** Services of which each said this of the transaction; the network has it from the nth look on. */
function services(verdicts: Verdict[], hasFrom = Number.POSITIVE_INFINITY) {
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

test.each<[string, Verdict[]]>([
  ['one takes it', ['taken']],
  ['one takes it after others failed', ['unknown', 'invalid', 'taken']],
])('%s: nobody else is asked', async (_what, verdicts) => {
  const asked = services(verdicts);
  expect(await give(asked)).toBe('accepted');
  expect(asked.looks()).toBe(0);
});

test.each<[string, Verdict[], string]>([
  ['one says that it is not valid', ['invalid'], 'it is not valid'],
  ['beside others that are down', ['unknown', 'invalid'], 'it is not valid'],
  ['one says that it is a double spend', ['double spend'], 'it spends what is spent already'],
  ['even if another one takes it', ['taken', 'double spend'], 'it spends what is spent already'],
])('%s: refused, unless the network has it all the same', async (_what, verdicts, refused) => {
  expect(await give(services(verdicts))).toEqual({ refused });
  expect(await give(services(verdicts, 1))).toBe('accepted');
});

test('a service has it and no node has said anything: looked for some times, then worth another try', async () => {
  expect(await give(services(['pending'], 3))).toBe('accepted');
  const never = services(['pending']);
  await expect(give(never)).rejects.toThrow(ChainUnavailableError);
  expect(never.looks()).toBe(3);
  expect(await give(services(['pending', 'invalid']))).toEqual({ refused: 'it is not valid' });
});

test('nobody says anything of it: worth another try, unless the network has it', async () => {
  for (const verdicts of [[], ['unknown'], ['unknown', 'unknown']] satisfies Verdict[][]) {
    await expect(give(services(verdicts))).rejects.toThrow(ChainUnavailableError);
    expect(await give(services(verdicts, 1))).toBe('accepted');
  }
});

test.each<Verdict>(['invalid', 'double spend', 'unknown'])(
  'what the network has can’t be found out: %s refuses nothing',
  async (verdict) => {
    const unsure = { ...services([verdict]), has: () => Promise.reject(new Error('away')) };
    await expect(give(unsure)).rejects.toThrow(ChainUnavailableError);
  },
);

test('services that can’t be asked', async () => {
  const failing = { ...services(['invalid']), post: () => Promise.reject(new Error('away')) };
  await expect(give(failing)).rejects.toThrow(ChainUnavailableError);
});
