import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type * as Secp256k1 from 'secp256k1';
import type { Curve } from './curve.js';

/**
 * Loads libsecp256k1 as a compiled addon.
 *
 * The main entry of `secp256k1` falls back silently to JavaScript, which is fifty times slower. Its `bindings.js` contains
 * only the addon, and throws where there is none. It is loaded by `require`, because a failed static import could not be
 * caught.
 *
 * @throws {Error} when no build of the addon fits this platform
 */
export function createNativeCurve(): Curve {
  const load = createRequire(import.meta.url);
  const lib = load('secp256k1/bindings.js') as typeof Secp256k1;
  // Blinding protects multiplications with secret scalars against side channels.
  lib.contextRandomize(randomBytes(32));

  const isCompressed = (bytes: Uint8Array) => bytes.length === 33 && (bytes[0] === 2 || bytes[0] === 3);

  return {
    name: 'native',
    isPrivateKey: (bytes) => bytes.length === 32 && lib.privateKeyVerify(bytes),
    getPublicKey: (privateKey) => lib.publicKeyCreate(privateKey, true),
    isPoint: (bytes) => isCompressed(bytes) && lib.publicKeyVerify(bytes),
    compress(bytes) {
      if (!isCompressed(bytes) && !(bytes.length === 65 && bytes[0] === 4)) return undefined;
      return lib.publicKeyVerify(bytes) ? lib.publicKeyConvert(bytes, true) : undefined;
    },
    // ecdh multiplies in constant time, publicKeyTweakMul does not, and the scalar is the server's private key.
    multiply: (point, scalar) => lib.ecdh(point, scalar, { hashfn: compressPoint }, new Uint8Array(33)),
    addToPoint: (point, tweak) => lib.publicKeyTweakAdd(point, tweak, true),
    addToPrivate: (privateKey, tweak) => lib.privateKeyTweakAdd(Uint8Array.from(privateKey), tweak),
    sign: (hash, privateKey) => lib.ecdsaSign(hash, privateKey).signature,
    verify(hash, signature, publicKey) {
      if (hash.length !== 32 || signature.length !== 64 || !isCompressed(publicKey)) return false;
      try {
        // ecdsaVerify refuses a high S. signatureNormalize changes its argument, so it gets a copy.
        return lib.ecdsaVerify(lib.signatureNormalize(Uint8Array.from(signature)), hash, publicKey);
      } catch {
        return false; // r or s is n or more, or the key is not a point
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
