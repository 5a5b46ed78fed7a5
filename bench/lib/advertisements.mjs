import { createHash } from 'node:crypto';
import {
  Beef,
  LockingScript,
  MerklePath,
  PrivateKey,
  ProtoWallet,
  PushDrop,
  Transaction,
  UnlockingScript,
} from '@bsv/sdk';
import { MessageBoxAdvertisements } from '@messagebox/store';

const BATCH_SIZE = 500;
const TOPIC = 'tm_messagebox';

/** Creates the identity key of an advertisement. It need not be a point on the curve here. @param {number} index */
export function createIdentityKey(index) {
  return `02${createHash('sha256').update(String(index)).digest('hex')}`;
}

/**
 * Writes advertisements to a store as the engine does, each with the BEEF of its own transaction. They are not submitted,
 * because ten thousand signatures would take longer than the rest of the benchmark.
 *
 * @param {import('@messagebox/overlay').OverlayStorage} storage
 * @param {number} count
 */
export async function fillWithAdvertisements(storage, count) {
  const script = await realScript();
  const funding = new Transaction();
  funding.addInput({ sourceTXID: 'ab'.repeat(32), sourceOutputIndex: 0, unlockingScript: new UnlockingScript() });
  funding.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1_000 });
  funding.merklePath = new MerklePath(1, [[{ offset: 0, hash: funding.id('hex'), txid: true }]]);
  for (let start = 0; start < count; start += BATCH_SIZE) {
    await storage.transaction(async (inside, runner) => {
      const ads = new MessageBoxAdvertisements(runner);
      for (let index = start; index < Math.min(count, start + BATCH_SIZE); index++) {
        const transaction = advertisement(funding, script, index);
        const txid = transaction.id('hex');
        const beef = new Beef();
        beef.mergeTransaction(transaction);
        await inside.outputs.insert(TOPIC, { txid, outputIndex: 0, score: index + 1 });
        await inside.beefs.insert(txid, Uint8Array.from(beef.toBinaryAtomic(txid)));
        const host = `https://host${index % 100}.mailboxes.org`;
        await ads.add({ txid, outputIndex: 0, identityKey: createIdentityKey(index), host, createdAt: index + 1 });
      }
    });
  }
}

/** @param {Transaction} funding @param {LockingScript} lockingScript @param {number} index */
function advertisement(funding, lockingScript, index) {
  const transaction = new Transaction();
  transaction.addInput({
    sourceTransaction: funding,
    sourceTXID: funding.id('hex'),
    sourceOutputIndex: 0,
    unlockingScript: new UnlockingScript(),
    sequence: index,
  });
  transaction.addOutput({ lockingScript, satoshis: 1 });
  return transaction;
}

async function realScript() {
  const wallet = /** @type {any} */ (new ProtoWallet(PrivateKey.fromRandom()));
  const { publicKey } = await wallet.getPublicKey({ identityKey: true });
  const fields = [[...Buffer.from(publicKey, 'hex')], [...Buffer.from('https://host.mailboxes.org')]];
  return await new PushDrop(wallet).lock(fields, [1, 'messagebox advertisement'], '1', 'anyone', true);
}
