import { createRequire } from 'node:module';
import type * as TinySecp256k1 from 'tiny-secp256k1';
import type { Curve } from './curve.js';

/**
 * Loads libsecp256k1 compiled to WebAssembly: the same results on any platform, at two to four times the cost.
 *
 * Its multiplication by a scalar takes variable time, and the scalar is the server's private key. The product is computed
 * once for each counterparty and then cached (see keys.ts). If that is not acceptable, use `loadCurve('native')`.
 *
 * @throws {Error} when WebAssembly isn't available
 */
export function createWasmCurve(): Curve {
  const load = createRequire(import.meta.url);
  const lib = load('tiny-secp256k1') as typeof TinySecp256k1;

  const isCompressed = (bytes: Uint8Array) => bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);

  return {
    name: 'wasm',
    isPrivateKey: (bytes) => lib.isPrivate(bytes),
    getPublicKey: (privateKey) => requirePoint(lib.pointFromScalar(privateKey, true)),
    isPoint: (bytes) => isCompressed(bytes) && lib.isPointCompressed(bytes),
    compress(bytes) {
      if (!isCompressed(bytes) && !(bytes.length === 65 && bytes[0] === 4)) return undefined;
      return lib.isPoint(bytes) ? lib.pointCompress(bytes, true) : undefined;
    },
    multiply: (point, scalar) => requirePoint(lib.pointMultiply(point, scalar, true)),
    addToPoint: (point, tweak) => requirePoint(lib.pointAddScalar(point, tweak, true)),
    addToPrivate: (privateKey, tweak) => requirePoint(lib.privateAdd(privateKey, tweak)),
    sign: (hash, privateKey) => lib.sign(hash, privateKey),
    verify(hash, signature, publicKey) {
      if (hash.length !== 32 || signature.length !== 64 || !isCompressed(publicKey)) return false;
      try {
        return lib.verify(hash, publicKey, signature);
      } catch {
        return false; // r or s is out of range, or the key is not a point
      }
    },
  };
}

/** The library returns null for results that have no representation: zero and the point at infinity. */
function requirePoint(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new Error('The result is zero or the point at infinity');
  return bytes;
}
