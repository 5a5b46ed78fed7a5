import { setTimeout as sleep } from 'node:timers/promises';

/** What a call of a wallet waits for before it begins. */
export type BeforeCall = (method: string) => Promise<unknown>;

/**
 * A wallet each of whose calls begins late, as those of wallets that are other programs do.
 *
 * @param wallet the wallet that does the work
 * @param delay milliseconds to wait before each call, or what to wait for
 */
export function slowWallet<T extends object>(wallet: T, delay: number | BeforeCall): T {
  const before: BeforeCall = typeof delay === 'function' ? delay : () => sleep(delay);
  if (delay === 0) return wallet;
  return new Proxy(wallet, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function' || typeof name !== 'string') return value;
      return async (...args: unknown[]): Promise<unknown> => {
        await before(name);
        return await Reflect.apply(value, target, args);
      };
    },
  });
}
