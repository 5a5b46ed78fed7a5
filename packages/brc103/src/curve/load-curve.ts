import type { Curve } from './curve.js';
import { createNativeCurve } from './native.js';
import { createWasmCurve } from './wasm.js';

const makers = { native: createNativeCurve, wasm: createWasmCurve } as const;

/** Loaded libraries, which hold no state of ours: loading one twice would only cost time. */
const loaded = new Map<keyof typeof makers, Curve>();

/**
 * The fastest secp256k1 there is: the native addon, else WebAssembly. Never JavaScript, whose 3 ms per signature would
 * pass unnoticed until the first busy day; `Curve.name` tells which one it became, and is worth a line in the log.
 *
 * @param prefer this one and no other
 * @throws {Error} when none of the candidates loads; `cause` holds the reason of each
 */
export function loadCurve(prefer?: 'native' | 'wasm'): Curve {
  const reasons: unknown[] = [];
  for (const name of prefer ? [prefer] : (['native', 'wasm'] as const)) {
    const known = loaded.get(name);
    if (known) return known;
    try {
      const curve = makers[name]();
      loaded.set(name, curve);
      return curve;
    } catch (error) {
      reasons.push(error);
    }
  }
  throw new Error(`No secp256k1 library could be loaded (tried ${prefer ?? 'native, wasm'})`, {
    cause: new AggregateError(reasons),
  });
}
