import { createHash } from 'node:crypto';
import type { Keys } from '@messagebox/brc103';
import type { Remittance } from './parse-payment.js';
import type { PricePrefixes } from './price-prefixes.js';

/** BRC-29's "anyone": the private key 1, which everybody knows. */
export const ANYONE_PRIVATE_KEY = Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0));

/** The protocol of BRC-29. */
const PROTOCOL = '3241645161d8';

/** Derives the locking scripts of BRC-29 outputs. */
export interface PaymentScripts {
  /**
   * The script of an output that the named sender pays to this server for messages.
   *
   * @returns undefined when the output pays the price of a request: one output must not count twice
   */
  deriveServerScript(remittance: Remittance): Uint8Array | undefined;
  /** The script of an output that the named sender pays to this server for a request (BRC-105). */
  derivePriceScript(remittance: Remittance): Uint8Array;
  /**
   * The script of an output that `anyone` (the private key 1) pays to a recipient. A script that was derived from the
   * sender's own key can be computed by sender and recipient only.
   *
   * @returns undefined when the remittance names another sender than `anyone`
   */
  deriveRecipientScript(recipient: string, remittance: Remittance): Uint8Array | undefined;
}

/**
 * Creates the derivation for a server.
 *
 * @param server the server's own keys
 * @param anyone the keys of the private key 1
 * @param prefixes recognise what pays for a request
 */
export function createPaymentScripts(server: Keys, anyone: Keys, prefixes: PricePrefixes): PaymentScripts {
  const use = (remittance: Remittance, counterparty: string) => ({
    securityLevel: 2 as const,
    protocol: PROTOCOL,
    keyID: `${remittance.derivationPrefix} ${remittance.derivationSuffix}`,
    counterparty,
  });
  const derivePaidToServer = (remittance: Remittance) =>
    toP2pkhScript(server.deriveOwnKey(use(remittance, remittance.senderIdentityKey)));
  return {
    deriveServerScript: (remittance) =>
      prefixes.open(remittance.derivationPrefix, remittance.senderIdentityKey) === undefined
        ? derivePaidToServer(remittance)
        : undefined,
    derivePriceScript: derivePaidToServer,
    deriveRecipientScript: (recipient, remittance) =>
      remittance.senderIdentityKey === anyone.identityKey
        ? toP2pkhScript(anyone.deriveCounterpartyKey(use(remittance, recipient)))
        : undefined,
  };
}

/** Pay to public key hash: OP_DUP OP_HASH160 <hash> OP_EQUALVERIFY OP_CHECKSIG. */
function toP2pkhScript(publicKey: Uint8Array): Uint8Array {
  const sha256 = createHash('sha256').update(publicKey).digest();
  const hash = createHash('ripemd160').update(sha256).digest();
  return Buffer.concat([Buffer.from('76a914', 'hex'), hash, Buffer.from('88ac', 'hex')]);
}
