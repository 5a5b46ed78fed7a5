import { type BroadcastServices, broadcast } from '../src/chain/broadcast.js';
import { ChainUnavailableError } from '../src/index.js';

const TXID = 'aa'.repeat(32);
const beef = Uint8Array.of(1);

interface Said {
  readonly status: 'success' | 'error';
  readonly doubleSpend?: boolean;
  readonly serviceError?: boolean;
}
const taken: Said = { status: 'success' };
const down: Said = { status: 'error', serviceError: true };
const invalid: Said = { status: 'error' };
const doubleSpend: Said = { status: 'error', doubleSpend: true };

/** Services of which each said one thing of the transaction, and something good of another. */
const services = (said: Said[], status?: string): BroadcastServices => ({
  post: async () =>
    said.map((one) => ({
      txidResults: [
        { txid: 'bb'.repeat(32), status: 'success' as const },
        { txid: TXID, ...one },
      ],
    })),
  status: async () => status,
});

test.each([
  ['one takes it', [taken]],
  ['one takes it after others failed', [down, invalid, taken]],
])('%s', async (_what, said) => {
  expect(await broadcast(services(said, 'unknown'), TXID, beef)).toBe('accepted');
});

test.each([
  ['one says that it is not valid', [invalid], 'it is not valid'],
  ['beside others that are down', [down, invalid], 'it is not valid'],
  ['one says that it is a double spend', [doubleSpend], 'it spends what is spent already'],
  ['even if another one takes it', [taken, doubleSpend], 'it spends what is spent already'],
])('%s', async (_what, said, refused) => {
  expect(await broadcast(services(said, 'unknown'), TXID, beef)).toEqual({ refused });
  // Unless the network has it all the same.
  for (const status of ['known', 'mined']) expect(await broadcast(services(said, status), TXID, beef)).toBe('accepted');
});

test('nobody says anything: worth another try', async () => {
  for (const said of [[], [down], [down, down]]) {
    await expect(broadcast(services(said, 'unknown'), TXID, beef)).rejects.toThrow(ChainUnavailableError);
  }
  const failing = { ...services([invalid]), post: () => Promise.reject(new Error('away')) };
  await expect(broadcast(failing, TXID, beef)).rejects.toThrow(ChainUnavailableError);
  const unsure = { ...services([invalid]), status: () => Promise.reject(new Error('away')) };
  await expect(broadcast(unsure, TXID, beef)).rejects.toThrow(ChainUnavailableError);
});
