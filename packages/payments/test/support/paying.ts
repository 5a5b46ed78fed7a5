import { KeyDeriver, P2PKH, PrivateKey, ProtoWallet, PublicKey, Random, Utils } from '@bsv/sdk';
import type { TransactionOutput } from '@messagebox/wallet';
import { createKeys, loadCurve } from '../../../brc103/src/index.js';
import { type PaymentScripts, paymentScripts } from '../../src/payment-scripts.js';

/** BRC-29's protocol. */
const PROTOCOL: [2, string] = [2, '3241645161d8'];

const bytesOf = (key: PrivateKey) => Uint8Array.from(Buffer.from(key.toHex().padStart(64, '0'), 'hex'));

export const ANYONE = new PrivateKey(1).toPublicKey().toString();

/** The scripts as a server with this key computes them. */
export function scriptsOf(serverKey: PrivateKey): PaymentScripts {
  const curve = loadCurve();
  return paymentScripts(createKeys(bytesOf(serverKey), curve), createKeys(bytesOf(new PrivateKey(1)), curve));
}

/** An output of a payment, as the SDK makes it, and its description. */
export interface Paid {
  readonly output: TransactionOutput;
  readonly remittance: {
    readonly derivationPrefix: string;
    readonly derivationSuffix: string;
    readonly senderIdentityKey: string;
  };
}

/** Pays somebody by BRC-29, with the SDK: the oracle for what the server computes. */
export async function pay(payee: string, satoshis: number, payer: PrivateKey | 'anyone'): Promise<Paid> {
  const [derivationPrefix, derivationSuffix] = [Utils.toBase64(Random(16)), Utils.toBase64(Random(16))];
  const { publicKey } = await new ProtoWallet(payer).getPublicKey({
    protocolID: PROTOCOL,
    keyID: `${derivationPrefix} ${derivationSuffix}`,
    counterparty: payee,
  });
  const script = new P2PKH().lock(PublicKey.fromString(publicKey).toAddress()).toUint8Array();
  const senderIdentityKey = payer === 'anyone' ? ANYONE : payer.toPublicKey().toString();
  return {
    output: { satoshis, script },
    remittance: { derivationPrefix, derivationSuffix, senderIdentityKey },
  };
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
