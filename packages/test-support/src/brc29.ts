import {
  LockingScript,
  P2PKH,
  PrivateKey,
  ProtoWallet,
  PublicKey,
  Random,
  Transaction,
  UnlockingScript,
  Utils,
} from '@bsv/sdk';

/** BRC-29's protocol. */
export const BRC29_PROTOCOL: [2, string] = [2, '3241645161d8'];
export const ANYONE_KEY = new PrivateKey(1).toPublicKey().toString();

/** An output that pays somebody, as the SDK makes it, and its description. */
export interface Brc29Payment {
  readonly output: { readonly satoshis: number; readonly script: Uint8Array };
  readonly remittance: {
    readonly derivationPrefix: string;
    readonly derivationSuffix: string;
    readonly senderIdentityKey: string;
  };
}

/** Pays somebody by BRC-29, with the SDK: the oracle for what the server computes. */
export async function createBrc29Payment(
  payee: string,
  satoshis: number,
  payer: PrivateKey | 'anyone',
): Promise<Brc29Payment> {
  const [derivationPrefix, derivationSuffix] = [Utils.toBase64(Random(16)), Utils.toBase64(Random(16))];
  const { publicKey } = await new ProtoWallet(payer).getPublicKey({
    protocolID: BRC29_PROTOCOL,
    keyID: `${derivationPrefix} ${derivationSuffix}`,
    counterparty: payee,
  });
  const script = new P2PKH().lock(PublicKey.fromString(publicKey).toAddress()).toUint8Array();
  const senderIdentityKey = payer === 'anyone' ? ANYONE_KEY : payer.toPublicKey().toString();
  return { output: { satoshis, script }, remittance: { derivationPrefix, derivationSuffix, senderIdentityKey } };
}

/** Money that anybody may spend: an output of a transaction in a block. */
export interface FreeOutput {
  readonly atomicBeef: number[];
  readonly outputIndex: number;
}

/** Spends free money with these outputs. On nobody's chain yet, and whatever is left over goes to the miner. */
export function spendFreeOutput(
  { atomicBeef, outputIndex }: FreeOutput,
  outputs: readonly Brc29Payment['output'][],
): Transaction {
  const transaction = new Transaction();
  transaction.addInput({
    sourceTransaction: Transaction.fromAtomicBEEF(atomicBeef),
    sourceOutputIndex: outputIndex,
    unlockingScript: new UnlockingScript(),
    sequence: 0xffffffff,
  });
  for (const { satoshis, script } of outputs) {
    transaction.addOutput({ lockingScript: LockingScript.fromBinary([...script]), satoshis });
  }
  return transaction;
}

/** The faucet of a running server: money that anybody may spend. */
export function requestFreeOutput(origin: string, satoshis: number): Promise<FreeOutput> {
  return requestFaucetOutput(origin, '51', satoshis);
}

/** Money of the faucet's for whoever satisfies a locking script (hex). */
export async function requestFaucetOutput(
  origin: string,
  lockingScript: string,
  satoshis: number,
): Promise<FreeOutput> {
  const answer = await fetch(`${origin}/development/faucet`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ lockingScript, satoshis }),
  });
  if (!answer.ok) throw new Error(`the faucet answered ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as FreeOutput;
}

/** How an output is described in `payment.outputs`. */
export const describePaymentOutput = ({ remittance }: Brc29Payment, outputIndex: number, more: object = {}) => ({
  outputIndex,
  protocol: 'wallet payment',
  paymentRemittance: remittance,
  ...more,
});
