import { KeyDeriver, P2PKH, PrivateKey } from '@bsv/sdk';
import { createKeys, loadCurve } from '@messagebox/brc103';
import { BRC29_PROTOCOL, type Brc29Payment } from '@messagebox/test-support/brc29';
import { createPaymentScripts, type PaymentScripts } from '../../src/payment-scripts.js';
import { PricePrefixes } from '../../src/price-prefixes.js';

const hexToBytes = (key: PrivateKey) => Uint8Array.from(Buffer.from(key.toHex().padStart(64, '0'), 'hex'));

/** Creates the derivation of a server with this key. */
export function createTestScripts(serverKey: PrivateKey): PaymentScripts {
  const curve = loadCurve();
  return createPaymentScripts(
    createKeys(hexToBytes(serverKey), curve),
    createKeys(hexToBytes(new PrivateKey(1)), curve),
    new PricePrefixes(hexToBytes(serverKey)),
  );
}

/** Derives the script from the payee's private key, with the SDK. */
export function createPayeeScript(payee: PrivateKey, { remittance }: Brc29Payment): Uint8Array {
  const { derivationPrefix, derivationSuffix, senderIdentityKey } = remittance;
  const key = new KeyDeriver(payee).derivePrivateKey(
    BRC29_PROTOCOL,
    `${derivationPrefix} ${derivationSuffix}`,
    senderIdentityKey,
  );
  return new P2PKH().lock(key.toPublicKey().toAddress()).toUint8Array();
}

export const toIdentityKey = (key: PrivateKey): string => key.toPublicKey().toString();
