import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Secp256k1 from 'secp256k1';
import type { Curve } from './curve.js';

/**
 * libsecp256k1 as a compiled addon.
 *
 * The package's main entry falls back to JavaScript, fifty times slower, without saying so. Its `bindings.js` is the
 * addon and nothing else, and throws where there is none. It is required when asked for, not imported, because a failed
 * static import could not be caught.
 *
 * @throws {Error} when no build of the addon fits this platform
 */
export function createNativeCurve(): Curve {
  const load = createRequire(import.meta.url);
  const lib = load('secp256k1/bindings.js') as typeof Secp256k1;
  // Blinds the multiplications with secret scalars against side channels.
  lib.contextRandomize(randomBytes(32));

  const isCompressed = (bytes: Uint8Array) => bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);

  return {
    name: 'native',
    isPrivateKey: (bytes) => bytes.length === 32 && lib.privateKeyVerify(bytes),
    publicKeyOf: (privateKey) => lib.publicKeyCreate(privateKey, true),
    isPoint: (bytes) => isCompressed(bytes) && lib.publicKeyVerify(bytes),
    compress(bytes) {
      if (!isCompressed(bytes) && !(bytes.length === 65 && bytes[0] === 4)) return undefined;
      return lib.publicKeyVerify(bytes) ? lib.publicKeyConvert(bytes, true) : undefined;
    },
    // By way of ECDH, whose multiplication takes constant time; publicKeyTweakMul's doesn't, and the scalar is our key.
    multiply: (point, scalar) => lib.ecdh(point, scalar, { hashfn: compressPoint }, new Uint8Array(33)),
    addToPoint: (point, tweak) => lib.publicKeyTweakAdd(point, tweak, true),
    addToPrivate: (privateKey, tweak) => lib.privateKeyTweakAdd(Uint8Array.from(privateKey), tweak),
    sign: (hash, privateKey) => lib.ecdsaSign(hash, privateKey).signature,
    verify(hash, signature, publicKey) {
      if (hash.length !== 32 || signature.length !== 64 || !isCompressed(publicKey)) return false;
      try {
        // ecdsaVerify refuses a high S; normalising works in place, hence the copy.
        return lib.ecdsaVerify(lib.signatureNormalize(Uint8Array.from(signature)), hash, publicKey);
      } catch {
        return false; // r or s of n or more, or not a point
      }
    },
  };
}

function compressPoint(x: Uint8Array, y: Uint8Array): Uint8Array {
  const point = new Uint8Array(33);
  point[0] = 2 + ((y[31] ?? 0) & 1);
  point.set(x, 1);
  return point;
}
