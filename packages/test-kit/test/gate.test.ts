import { createSlowWallet, Gate } from '../src/index.js';
import { createParty } from './support/wallets.js';

describe('a slow wallet', () => {
  test('begins each call when the gate lets it', async () => {
    const { wallet, key } = createParty();
    const gate = new Gate();
    const slow = createSlowWallet(wallet, gate.pass);
    expect(await slow.getPublicKey({ identityKey: true })).toEqual({ publicKey: key });
    gate.close();
    const done: number[] = [];
    const calls = [1, 2, 3].map(async (n) => {
      await slow.getPublicKey({ identityKey: true });
      done.push(n);
    });
    expect(gate.held).toBe(3);
    gate.release(1);
    await calls[0];
    expect([done, gate.held]).toEqual([[1], 2]);
    gate.open();
    await Promise.all(calls);
    expect([done, gate.held]).toEqual([[1, 2, 3], 0]);
  });

  test('waits the given time before each call', async () => {
    const { wallet } = createParty();
    const from = performance.now();
    await createSlowWallet(wallet, 20).getPublicKey({ identityKey: true });
    expect(performance.now() - from).toBeGreaterThanOrEqual(19);
  });
});
