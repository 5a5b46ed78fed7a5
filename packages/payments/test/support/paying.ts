import { KeyDeriver, P2PKH, PrivateKey } from '@bsv/sdk';
import { type Paid, PROTOCOL } from '../../../../tests/support/brc29.ts';
import { createKeys, loadCurve } from '../../../brc103/src/index.js';
import { type PaymentScripts, paymentScripts } from '../../src/payment-scripts.js';

const bytesOf = (key: PrivateKey) => Uint8Array.from(Buffer.from(key.toHex().padStart(64, '0'), 'hex'));

/** The scripts as a server with this key computes them. */
export function scriptsOf(serverKey: PrivateKey): PaymentScripts {
  const curve = loadCurve();
  return paymentScripts(createKeys(bytesOf(serverKey), curve), createKeys(bytesOf(new PrivateKey(1)), curve));
}

/** What the payee derives for itself: it must be the same script. */
export function scriptOfPayee(payee: PrivateKey, { remittance }: Paid): Uint8Array {
  const { derivationPrefix, derivationSuffix, senderIdentityKey } = remittance;
  const key = new KeyDeriver(payee).derivePrivateKey(
    PROTOCOL,
    `${derivationPrefix} ${derivationSuffix}`,
    senderIdentityKey,
  );
  return new P2PKH().lock(key.toPublicKey().toAddress()).toUint8Array();
}

export const publicKeyOf = (key: PrivateKey): string => key.toPublicKey().toString();
