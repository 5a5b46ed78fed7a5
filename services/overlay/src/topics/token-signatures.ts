import { createKeys, loadCurve } from '@messagebox/brc103';
import type { PushDropToken } from './push-drop.js';

/** BRC-43: which key signs and locks a kind of token. Its key id is `1`, its counterparty `anyone`. */
export interface TokenProtocol {
  readonly securityLevel: 0 | 1 | 2;
  readonly protocol: string;
}

/** Tells whether tokens are their signer's own. */
export interface TokenSignatures {
  /**
   * Whether the last field is the identity's signature over the others, and the output locked to the same derived key.
   *
   * @param identity the identity key, 33 bytes of whatever content
   */
  isOwn(token: PushDropToken, identity: Uint8Array, protocol: TokenProtocol): boolean;
}

/** BRC-42: the private key of "anyone" is 1, so everybody can derive what is made for it. */
const ANYONE = Buffer.alloc(32);
ANYONE[31] = 1;
const REMEMBERED_IDENTITIES = 1_000;

/** With libsecp256k1: the SDK would keep a table for each public key that it has ever seen. */
export function tokenSignatures(): TokenSignatures {
  const curve = loadCurve();
  const anyone = createKeys(ANYONE, curve, REMEMBERED_IDENTITIES);
  return {
    isOwn({ lockingKey, fields }, identity, { securityLevel, protocol }) {
      const signature = fields.at(-1);
      if (signature === undefined || !curve.isPoint(identity)) return false;
      const counterparty = Buffer.from(identity).toString('hex');
      const use = { securityLevel, protocol, keyID: '1', counterparty };
      if (!Buffer.from(lockingKey).equals(anyone.keyOfCounterparty(use))) return false;
      return anyone.verify(Buffer.concat(fields.slice(0, -1)), signature, use);
    },
  };
}
