import {
  Beef,
  type CreateActionArgs,
  type CreateActionResult,
  LockingScript,
  MerklePath,
  P2PKH,
  PrivateKey,
  Transaction,
  type WalletInterface,
} from '@bsv/sdk';

/** Bytes of data in each ancestor. The development chain takes transactions of up to 65,000 bytes. */
const DATA_BYTES = 64_000;
const SATOSHIS_OF_COIN = 1_000;

/**
 * A wallet whose coins come from large transactions, so that its payments have a large BEEF. Everything but `createAction` is
 * the given wallet's.
 *
 * @param origin where the deployment serves its chain
 * @param beefBytes the least bytes of a payment's BEEF. Its bytes are numbers of three digits, four characters of JSON each
 */
export async function createHeavyWallet(
  wallet: WalletInterface,
  origin: string,
  beefBytes: number,
): Promise<WalletInterface> {
  const coins = await makeHeavyCoins(origin, Math.ceil(beefBytes / DATA_BYTES));
  const createAction = async ({ outputs = [] }: CreateActionArgs): Promise<CreateActionResult> => {
    const payment = new Transaction();
    for (const { transaction, key } of coins) spend(payment, transaction, 1, key);
    for (const { lockingScript, satoshis } of outputs) {
      payment.addOutput({ lockingScript: LockingScript.fromHex(lockingScript), satoshis });
    }
    await payment.sign();
    return { txid: payment.id('hex'), tx: payment.toAtomicBEEF() };
  };
  return new Proxy(wallet, {
    get: (target, name) => {
      if (name === 'createAction') return createAction;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

interface Coin {
  /** Its output 1 is the coin. It is in a block. */
  readonly transaction: Transaction;
  readonly key: PrivateKey;
}

async function makeHeavyCoins(origin: string, count: number): Promise<Coin[]> {
  const key = PrivateKey.fromRandom();
  const lockingScript = new P2PKH().lock(key.toAddress());
  const funding = (await post(origin, '/development/faucet', {
    lockingScript: lockingScript.toHex(),
    satoshis: count * SATOSHIS_OF_COIN,
  })) as { readonly outputIndex: number; readonly atomicBeef: number[] };
  const split = new Transaction();
  spend(split, Transaction.fromAtomicBEEF(funding.atomicBeef), funding.outputIndex, key);
  for (let i = 0; i < count; i++) split.addOutput({ lockingScript, satoshis: SATOSHIS_OF_COIN });
  await mine(origin, split);
  const coins: Coin[] = [];
  for (let i = 0; i < count; i++) {
    const transaction = new Transaction();
    spend(transaction, split, i, key);
    const data = Buffer.alloc(DATA_BYTES, 100 + i);
    // OP_FALSE OP_RETURN and the data, whose length is in two bytes.
    const script = Buffer.concat([Buffer.from([0x00, 0x6a, 0x4d, DATA_BYTES & 0xff, DATA_BYTES >> 8]), data]);
    transaction.addOutput({ lockingScript: LockingScript.fromBinary([...script]), satoshis: 0 });
    transaction.addOutput({ lockingScript, satoshis: SATOSHIS_OF_COIN });
    await mine(origin, transaction);
    coins.push({ transaction, key });
  }
  return coins;
}

function spend(by: Transaction, source: Transaction, output: number, key: PrivateKey): void {
  by.addInput({
    sourceTransaction: source,
    sourceOutputIndex: output,
    unlockingScriptTemplate: new P2PKH().unlock(key),
    sequence: 0xffffffff,
  });
}

/** Signs a transaction and puts it into a block. */
async function mine(origin: string, transaction: Transaction): Promise<void> {
  await transaction.sign();
  const txid = transaction.id('hex');
  const beef = new Beef();
  beef.mergeTransaction(transaction);
  const posted = (await call(origin, 'postBeef', Buffer.from(beef.toBinary()).toString('base64'), [txid])) as {
    status: string;
  }[];
  if (posted[0]?.status !== 'success') throw new Error(`not accepted: ${JSON.stringify(posted)}`);
  const { merklePath } = (await call(origin, 'getMerklePath', txid)) as { merklePath: string };
  transaction.merklePath = MerklePath.fromHex(merklePath);
}

async function call(origin: string, method: string, ...args: readonly unknown[]): Promise<unknown> {
  const { result } = (await post(origin, '/development/chain', { method, args })) as { result: unknown };
  return result;
}

async function post(origin: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${origin}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answers ${response.status}: ${await response.text()}`);
  return await response.json();
}
