import { type AtomicBEEF, LockingScript, OP, P2PKH, PublicKey, Transaction, type WalletInterface } from '@bsv/sdk';

/**
 * Makes a BRC-29 payment, in the form that the payee's wallet internalizes.
 *
 * @param fileBytes the size of an additional data output
 */
export async function payFromWallet(from: WalletInterface, to: WalletInterface, satoshis: number, fileBytes = 0) {
  const { publicKey: senderIdentityKey } = await from.getPublicKey({ identityKey: true });
  const { publicKey: payee } = await to.getPublicKey({ identityKey: true });
  const derivationPrefix = Buffer.from('prefix').toString('base64');
  const derivationSuffix = Buffer.from('suffix').toString('base64');
  const { publicKey } = await from.getPublicKey({
    protocolID: [2, '3241645161d8'],
    keyID: `${derivationPrefix} ${derivationSuffix}`,
    counterparty: payee,
  });
  const { tx } = await from.createAction({
    description: 'a payment',
    outputs: [
      {
        satoshis,
        lockingScript: new P2PKH().lock(PublicKey.fromString(publicKey).toAddress()).toHex(),
        outputDescription: 'payment',
      },
      ...(fileBytes === 0 ? [] : [{ satoshis: 0, lockingScript: toScript(fileBytes), outputDescription: 'a file' }]),
    ],
    options: { acceptDelayedBroadcast: false, randomizeOutputs: false },
  });
  const paymentRemittance = { derivationPrefix, derivationSuffix, senderIdentityKey };
  return {
    tx: tx as AtomicBEEF,
    description: 'a payment',
    outputs: [{ outputIndex: 0, protocol: 'wallet payment' as const, paymentRemittance }],
  };
}

function toScript(bytes: number): string {
  return new LockingScript([
    { op: OP.OP_FALSE },
    { op: OP.OP_RETURN },
    { op: OP.OP_PUSHDATA4, data: Array.from({ length: bytes }, () => 0) },
  ]).toHex();
}

/** Computes the fee of a transaction in satoshis. */
export function computeFee(tx: AtomicBEEF | undefined): number {
  return Transaction.fromAtomicBEEF([...(tx ?? [])]).getFee();
}
