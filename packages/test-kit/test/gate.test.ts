import { Gate, slowWallet } from '../src/index.js';
import { newParty } from './support/wallets.js';

describe('a wallet that is slow', () => {
  test('begins each call when the gate lets it', async () => {
    const { wallet, key } = newParty();
    const gate = new Gate();
    const slow = slowWallet(wallet, gate.pass);
    expect(await slow.getPublicKey({ identityKey: true })).toEqual({ publicKey: key });
    gate.close();
    const done: number[] = [];
    const calls = [1, 2, 3].map(async (n) => {
      await slow.getPublicKey({ identityKey: true });
      done.push(n);
    });
    expect(gate.held).toBe(3);
    gate.letThrough(1);
    await calls[0];
    expect([done, gate.held]).toEqual([[1], 2]);
    gate.open();
    await Promise.all(calls);
    expect([done, gate.held]).toEqual([[1, 2, 3], 0]);
  });

  test('takes the time that it is told for each call', async () => {
    const { wallet } = newParty();
    const from = performance.now();
    await slowWallet(wallet, 20).getPublicKey({ identityKey: true });
    expect(performance.now() - from).toBeGreaterThanOrEqual(19);
  });
});
