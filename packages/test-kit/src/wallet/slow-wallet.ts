import { setTimeout as sleep } from 'node:timers/promises';

/** Returns the promise that a call of a wallet waits for before it begins. */
export type BeforeCall = (method: string) => Promise<unknown>;

/**
 * Wraps a wallet so that each call begins late, as with wallets that are separate programs.
 *
 * @param wallet the wallet that does the work
 * @param delay milliseconds to wait before each call, or a function whose promise each call waits for
 */
export function createSlowWallet<T extends object>(wallet: T, delay: number | BeforeCall): T {
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
