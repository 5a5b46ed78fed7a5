import type { Curve } from './curve.js';
import { createNativeCurve } from './native-curve.js';
import { createWasmCurve } from './wasm-curve.js';

const factories = { native: createNativeCurve, wasm: createWasmCurve } as const;

/** The loaded libraries. They keep no state, so loading one twice would only cost time. */
const loadedCurves = new Map<keyof typeof factories, Curve>();

/**
 * Loads the fastest secp256k1 library that is available: the native addon, or else WebAssembly. It never falls back to
 * JavaScript, which takes 3 ms per signature. `Curve.name` tells which library was loaded.
 *
 * @param prefer load this library and no other
 * @throws {Error} when no library loads; `cause` is an `AggregateError` with the reasons
 */
export function loadCurve(prefer?: 'native' | 'wasm'): Curve {
  const reasons: unknown[] = [];
  for (const name of prefer ? [prefer] : (['native', 'wasm'] as const)) {
    const known = loadedCurves.get(name);
    if (known) return known;
    try {
      const curve = factories[name]();
      loadedCurves.set(name, curve);
      return curve;
    } catch (error) {
      reasons.push(error);
    }
  }
  throw new Error(`No secp256k1 library could be loaded (tried ${prefer ?? 'native, wasm'})`, {
    cause: new AggregateError(reasons),
  });
}
