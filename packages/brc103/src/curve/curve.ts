/**
 * What this package needs of secp256k1, and nothing more. Points are compressed (33 bytes), scalars and private keys
 * 32 bytes big-endian, signatures compact `r || s` (64 bytes). No argument is ever written to.
 */
export interface Curve {
  readonly name: 'native' | 'wasm';

  /** Whether these are 32 bytes in 1..n-1. Never throws. */
  isPrivateKey(bytes: Uint8Array): boolean;

  /**
   * The compressed public key.
   * @throws {Error} when `privateKey` isn't one
   */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;

  /** Whether these are 33 bytes, `02` or `03` first, of a point on the curve. Never throws. */
  isPoint(bytes: Uint8Array): boolean;

  /**
   * The compressed form of a point given compressed (33 bytes) or uncompressed (65 bytes, `04`), or undefined when it is
   * neither or isn't on the curve. The "hybrid" forms `06` and `07` are refused. Never throws.
   */
  compress(bytes: Uint8Array): Uint8Array | undefined;

  /**
   * `scalar * point`: the shared secret of BRC-42, where the scalar is a private key.
   * @throws {Error} for an invalid point or scalar
   */
  multiply(point: Uint8Array, scalar: Uint8Array): Uint8Array;

  /**
   * `point + tweak * G`.
   * @throws {Error} for an invalid point, a tweak of n or more, or a sum at infinity
   */
  addToPoint(point: Uint8Array, tweak: Uint8Array): Uint8Array;

  /**
   * `(privateKey + tweak) mod n`.
   * @throws {Error} for an invalid key, a tweak of n or more, or a sum of zero
   */
  addToPrivate(privateKey: Uint8Array, tweak: Uint8Array): Uint8Array;

  /**
   * ECDSA over a 32-byte hash, deterministic (RFC 6979), low-S.
   * @throws {Error} when `privateKey` isn't one
   */
  sign(hash: Uint8Array, privateKey: Uint8Array): Uint8Array;

  /**
   * Verifies ECDSA. A high S is accepted, as `@bsv/sdk` accepts it: nothing here takes a signature for an identifier, so
   * its second spelling harms nobody. False for anything invalid; never throws for bytes of whatever kind.
   */
  verify(hash: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
}
