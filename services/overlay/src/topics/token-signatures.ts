import { createKeys, loadCurve } from '@messagebox/brc103';
import type { PushDropToken } from './push-drop.js';

/** The key derivation (BRC-43) of a kind of token. The key id is `1`, the counterparty `anyone`. */
export interface TokenProtocol {
  readonly securityLevel: 0 | 1 | 2;
  readonly protocol: string;
}

/** Verifies that the identity in a token has signed it. */
export interface TokenSignatures {
  /**
   * Whether the last field is the identity's signature over the others, and the output is locked to the same derived key.
   *
   * @param identity the identity key: any bytes, need not be a point of the curve
   */
  isOwn(token: PushDropToken, identity: Uint8Array, protocol: TokenProtocol): boolean;
}

/** The private key of "anyone" is 1 (BRC-42), so everybody can derive the keys that are made for it. */
const ANYONE_PRIVATE_KEY = Buffer.alloc(32);
ANYONE_PRIVATE_KEY[31] = 1;
const MAX_CACHED_IDENTITIES = 1_000;

/** Uses libsecp256k1, because the SDK keeps a table in memory for each public key that it has ever seen. */
export function createTokenSignatures(): TokenSignatures {
  const curve = loadCurve();
  const anyone = createKeys(ANYONE_PRIVATE_KEY, curve, MAX_CACHED_IDENTITIES);
  return {
    isOwn({ lockingKey, fields }, identity, { securityLevel, protocol }) {
      const signature = fields.at(-1);
      if (signature === undefined || !curve.isPoint(identity)) return false;
      const counterparty = Buffer.from(identity).toString('hex');
      const use = { securityLevel, protocol, keyID: '1', counterparty };
      if (!Buffer.from(lockingKey).equals(anyone.deriveCounterpartyKey(use))) return false;
      return anyone.verify(Buffer.concat(fields.slice(0, -1)), signature, use);
    },
  };
}
