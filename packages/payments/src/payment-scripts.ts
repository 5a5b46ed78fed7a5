import { createHash } from 'node:crypto';
import type { Keys } from '@messagebox/brc103';
import type { Remittance } from './parse-payment.js';

/** BRC-29's protocol. */
const PROTOCOL = '3241645161d8';

/** The locking scripts that a payment must have to belong to somebody. */
export interface PaymentScripts {
  /** This server's, for what the named sender pays. */
  ofServer(remittance: Remittance): Uint8Array;
  /**
   * A recipient's, for what `anyone` pays (the private key 1). Only such a script can be recomputed here: one made with
   * the sender's own key is known to sender and recipient alone.
   *
   * @returns undefined when the remittance names another sender
   */
  ofRecipient(recipient: string, remittance: Remittance): Uint8Array | undefined;
}

/**
 * @param server the server's own keys
 * @param anyone the keys of the private key 1
 */
export function paymentScripts(server: Keys, anyone: Keys): PaymentScripts {
  const use = (remittance: Remittance, counterparty: string) => ({
    securityLevel: 2 as const,
    protocol: PROTOCOL,
    keyID: `${remittance.derivationPrefix} ${remittance.derivationSuffix}`,
    counterparty,
  });
  return {
    ofServer: (remittance) => payToKey(server.ownKey(use(remittance, remittance.senderIdentityKey))),
    ofRecipient: (recipient, remittance) =>
      remittance.senderIdentityKey === anyone.identityKey
        ? payToKey(anyone.keyOfCounterparty(use(remittance, recipient)))
        : undefined,
  };
}

/** Pay to public key hash: OP_DUP OP_HASH160 <hash> OP_EQUALVERIFY OP_CHECKSIG. */
function payToKey(publicKey: Uint8Array): Uint8Array {
  const sha256 = createHash('sha256').update(publicKey).digest();
  const hash = createHash('ripemd160').update(sha256).digest();
  return Buffer.concat([Buffer.from('76a914', 'hex'), hash, Buffer.from('88ac', 'hex')]);
}
