import { createRequire } from 'node:module';
import type * as TinySecp256k1 from 'tiny-secp256k1';
import type { Curve } from './curve.js';

/**
 * libsecp256k1 compiled to WebAssembly: the same results on any platform, at two to four times the cost.
 *
 * Its multiplication by a scalar takes variable time. The scalar is the server's key, but the product is computed once
 * per counterparty and then remembered (see keys.ts); where that is too much, insist on `loadCurve('native')`.
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
    publicKeyOf: (privateKey) => defined(lib.pointFromScalar(privateKey, true)),
    isPoint: (bytes) => isCompressed(bytes) && lib.isPointCompressed(bytes),
    compress(bytes) {
      if (!isCompressed(bytes) && !(bytes.length === 65 && bytes[0] === 4)) return undefined;
      return lib.isPoint(bytes) ? lib.pointCompress(bytes, true) : undefined;
    },
    multiply: (point, scalar) => defined(lib.pointMultiply(point, scalar, true)),
    addToPoint: (point, tweak) => defined(lib.pointAddScalar(point, tweak, true)),
    addToPrivate: (privateKey, tweak) => defined(lib.privateAdd(privateKey, tweak)),
    sign: (hash, privateKey) => lib.sign(hash, privateKey),
    verify(hash, signature, publicKey) {
      if (hash.length !== 32 || signature.length !== 64 || !isCompressed(publicKey)) return false;
      try {
        return lib.verify(hash, publicKey, signature);
      } catch {
        return false; // r or s out of range, or not a point
      }
    },
  };
}

/** The library answers null for results that have no representation: zero, or the point at infinity. */
function defined(bytes: Uint8Array | null): Uint8Array {
  if (bytes === null) throw new Error('The result is zero or the point at infinity');
  return bytes;
}
