/**
 * The secp256k1 operations that this package uses. Points are compressed (33 bytes). Scalars and private keys have 32 bytes,
 * big-endian. Signatures are compact `r || s` (64 bytes). No function changes its arguments.
 */
export interface Curve {
  /** The library in use: the native addon or WebAssembly. */
  readonly name: 'native' | 'wasm';

  /** Whether `bytes` is a scalar of 32 bytes in 1..n-1. Never throws. */
  isPrivateKey(bytes: Uint8Array): boolean;

  /**
   * Returns the compressed public key.
   *
   * @throws {Error} when `privateKey` isn't one
   */
  getPublicKey(privateKey: Uint8Array): Uint8Array;

  /** Whether `bytes` is a compressed point on the curve: 33 bytes, of which the first is `02` or `03`. Never throws. */
  isPoint(bytes: Uint8Array): boolean;

  /**
   * Compresses a point that is compressed (33 bytes) or uncompressed (65 bytes, `04`). Returns undefined for other forms,
   * including the "hybrid" forms `06` and `07`, and when the point is not on the curve. Never throws.
   */
  compress(bytes: Uint8Array): Uint8Array | undefined;

  /**
   * Computes `scalar * point`. With a private key as the scalar, this is the shared secret of BRC-42.
   *
   * @throws {Error} for an invalid point or scalar
   */
  multiply(point: Uint8Array, scalar: Uint8Array): Uint8Array;

  /**
   * Computes `point + tweak * G`.
   *
   * @throws {Error} for an invalid point, a tweak of n or more, or a sum at infinity
   */
  addToPoint(point: Uint8Array, tweak: Uint8Array): Uint8Array;

  /**
   * Computes `(privateKey + tweak) mod n`.
   *
   * @throws {Error} for an invalid key, a tweak of n or more, or a sum of zero
   */
  addToPrivate(privateKey: Uint8Array, tweak: Uint8Array): Uint8Array;

  /**
   * Signs a hash of 32 bytes by ECDSA, deterministically (RFC 6979) and with a low S.
   *
   * @throws {Error} when `privateKey` isn't one
   */
  sign(hash: Uint8Array, privateKey: Uint8Array): Uint8Array;

  /**
   * Verifies an ECDSA signature. Accepts a high S, as `@bsv/sdk` does. That is safe because no signature is used as an
   * identifier. Returns false for invalid input, and never throws.
   */
  verify(hash: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
}
