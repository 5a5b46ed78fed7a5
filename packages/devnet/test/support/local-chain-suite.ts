import { Beef, P2PKH, PrivateKey, Transaction } from '@bsv/sdk';
import { findProof, TransactionVerifier } from '@messagebox/transactions';
import { MAX_FUNDING_SATOSHIS } from '../../src/chain/local-chain.js';
import { LocalChain, LocalChainError } from '../../src/index.js';
import type { TemporaryDatabase } from './databases.js';

/** The promises of the local chain, on each database. */
export function localChainSuite(createDatabase: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;
  let local: LocalChain;
  const key = PrivateKey.fromRandom();
  const lockingScript = new P2PKH().lock(key.toAddress()).toHex();

  beforeAll(async () => {
    database = await createDatabase();
    local = await LocalChain.open(database.config);
  });
  afterAll(async () => {
    await local.close();
    await database.remove();
  });

  /** Spends an output of the key, with a signature. */
  async function pay(source: Transaction, satoshis: number, index = 0): Promise<Transaction> {
    const transaction = new Transaction();
    transaction.addInput({
      sourceTransaction: source,
      sourceOutputIndex: index,
      unlockingScriptTemplate: new P2PKH().unlock(key),
    });
    transaction.addOutput({ lockingScript: new P2PKH().lock(key.toAddress()), satoshis });
    await transaction.sign();
    return transaction;
  }

  async function funded(satoshis = 1_000): Promise<Transaction> {
    return Transaction.fromAtomicBEEF((await local.fund({ lockingScript, satoshis })).atomicBeef);
  }

  function beefOf(transaction: Transaction): Beef {
    const beef = new Beef();
    beef.mergeTransaction(transaction);
    return beef;
  }

  async function post(transaction: Transaction, to = local) {
    const [result] = await to.postBeef(beefOf(transaction), [transaction.id('hex')]);
    return result?.txidResults[0];
  }

  test('the faucet pays several times at once, each from its own output and into a block', async () => {
    const fundings = await Promise.all([1, 2, 3, 4].map((satoshis) => local.fund({ lockingScript, satoshis })));
    expect(new Set(fundings.map(({ txid }) => txid)).size).toBe(4);
    const verifier = new TransactionVerifier(async () => local.tracker);
    for (const [index, { txid, outputIndex, atomicBeef }] of fundings.entries()) {
      const verified = await verifier.verify(verifier.parse(atomicBeef));
      expect(verified).toMatchObject({ txid, proven: true });
      const output = Transaction.fromAtomicBEEF(atomicBeef).outputs[outputIndex];
      expect(output?.satoshis).toBe(index + 1);
      expect(output?.lockingScript.toHex()).toBe(lockingScript);
    }
    await verifier.close();
  });

  test('a transaction in a block has a merkle path, and an unknown one has none', async () => {
    const transaction = await funded();
    const txid = transaction.id('hex');
    const proof = await findProof(local.services, local.tracker, txid);
    expect(proof?.blockHeight).toBe(transaction.merklePath?.blockHeight);
    expect(proof?.leaves.has(txid)).toBe(true);
    expect(await findProof(local.services, local.tracker, '12'.repeat(32))).toBeUndefined();
  });

  test.each([
    ['nothing', { satoshis: 0 }],
    ['less than nothing', { satoshis: -1 }],
    ['half a satoshi', { satoshis: 1.5 }],
    ['too much', { satoshis: MAX_FUNDING_SATOSHIS + 1 }],
    ['NaN', { satoshis: Number.NaN }],
    ['an empty script', { lockingScript: '' }],
    ['a script that is no hex', { lockingScript: 'xyz' }],
    ['half a byte of script', { lockingScript: '5' }],
    ['a script that is too long', { lockingScript: '51'.repeat(10_001) }],
  ])('the faucet refuses %s', async (_name, wrong) => {
    const height = await local.tracker.currentHeight();
    await expect(local.fund({ lockingScript, satoshis: 1, ...wrong })).rejects.toBeInstanceOf(LocalChainError);
    expect(await local.tracker.currentHeight()).toBe(height);
  });

  test('an accepted transaction is in a block, and posting it again is a success', async () => {
    const transaction = await pay(await funded(), 900);
    expect(await post(transaction)).toMatchObject({ status: 'success' });
    const { merklePath } = await local.services.getMerklePath(transaction.id('hex'));
    const root = merklePath?.computeRoot(transaction.id('hex')) ?? '';
    expect(await local.tracker.isValidRootForHeight(root, merklePath?.blockHeight ?? 0)).toBe(true);
    const height = await local.tracker.currentHeight();
    expect(await post(transaction)).toMatchObject({ status: 'success', alreadyKnown: true });
    expect(await local.tracker.currentHeight()).toBe(height);
  });

  test('ancestors that only the BEEF has are added first', async () => {
    const first = await pay(await funded(), 900);
    const second = await pay(first, 800);
    expect(await post(await pay(second, 700))).toMatchObject({ status: 'success' });
    expect((await local.services.getStatusForTxids([first.id('hex'), second.id('hex')])).results).toMatchObject([
      { status: 'mined' },
      { status: 'mined' },
    ]);
  });

  test('an output is spent once', async () => {
    const source = await funded();
    const [one, other] = [await pay(source, 900), await pay(source, 800)];
    expect(await post(one)).toMatchObject({ status: 'success' });
    expect(await post(other)).toMatchObject({ status: 'error', doubleSpend: true, competingTxs: [one.id('hex')] });
    expect(await local.services.getRawTx(other.id('hex'))).toEqual({ txid: other.id('hex') });
  });

  test('one of ten concurrent spenders of an output in two processes wins', async () => {
    const elsewhere = await LocalChain.open(database.config);
    try {
      const chains = [local, elsewhere];
      for (let round = 0; round < 3; round += 1) {
        const source = await funded();
        const rivals = await Promise.all(Array.from({ length: 10 }, (_, index) => pay(source, 900 - index)));
        const results = await Promise.all(rivals.map((rival, index) => post(rival, chains[index % 2])));
        const won = results.filter((result) => result?.status === 'success');
        expect(won).toHaveLength(1);
        for (const lost of results.filter((result) => result?.status !== 'success')) {
          expect(lost).toMatchObject({ doubleSpend: true, competingTxs: [won[0]?.txid] });
        }
      }
      const height = await local.tracker.currentHeight();
      const headers = await Promise.all(
        Array.from({ length: height + 1 }, (_, index) => local.tracker.findHeaderForHeight(index)),
      );
      for (const [index, header] of headers.entries()) {
        if (index > 0) expect(header?.previousHash).toBe(headers[index - 1]?.hash);
      }
    } finally {
      await elsewhere.close();
    }
  });

  test('an invalid transaction is refused with the reason, and nothing changes', async () => {
    const source = await funded();
    const height = await local.tracker.currentHeight();
    const greedy = await pay(source, 1_001);
    expect(await post(greedy)).toMatchObject({
      status: 'error',
      data: { detail: expect.stringMatching(/more than it/) },
    });

    const forged = await pay(source, 900);
    const [output] = forged.outputs;
    if (output !== undefined) output.satoshis = 901;
    const changed = new Transaction(forged.version, forged.inputs, forged.outputs, forged.lockTime);
    expect(await post(changed)).toMatchObject({ status: 'error', data: { detail: expect.stringMatching(/script/) } });

    const twice = new Transaction(1, [...changed.inputs, ...changed.inputs], changed.outputs, 0);
    expect(await post(twice)).toMatchObject({ status: 'error', data: { detail: expect.stringMatching(/twice/) } });

    const [unknown] = await local.postBeef(new Beef(), ['ab'.repeat(32)]);
    expect(unknown?.txidResults).toMatchObject([
      { status: 'error', data: { detail: expect.stringMatching(/neither/) } },
    ]);
    expect(await local.tracker.currentHeight()).toBe(height);
  });

  test('everything is kept over a restart', async () => {
    const source = await funded();
    await local.close();
    local = await LocalChain.open(database.config);
    expect(await post(await pay(source, 900))).toMatchObject({ status: 'success' });
  });
}
