import { Beef, Utils } from '@bsv/sdk';

const BEEF_V2 = 0xefbe0002;

/** A transaction of about this size that nobody needs: its only output is data. It spends nothing that exists. */
function createFiller(bytes: number): Buffer {
  const head = Buffer.concat([uint32(1), varint(1), Buffer.alloc(32, 1), uint32(0), varint(0), uint32(0xffffffff)]);
  const script = Buffer.concat([Buffer.from([0x00, 0x6a, 0x4e]), uint32(bytes), Buffer.alloc(bytes, 7)]);
  return Buffer.concat([head, varint(1), Buffer.alloc(8), varint(script.length), script, uint32(0)]);
}

/** The same AtomicBEEF with so many bytes that its transaction does not need, as wallets that never prune send it. */
export function padBeef(atomicBeef: readonly number[], bytes: number): Buffer {
  const beef = Beef.fromBinary([...atomicBeef]);
  const txid = Buffer.from(beef.atomicTxid ?? '', 'hex').reverse();
  const entries = beef.txs.map(({ bumpIndex, rawTx, tx }) => {
    const raw = Buffer.from(rawTx ?? tx?.toBinary() ?? []);
    return bumpIndex === undefined
      ? Buffer.concat([Buffer.from([0]), raw])
      : Buffer.concat([Buffer.from([1]), varint(bumpIndex), raw]);
  });
  return Buffer.concat([
    uint32(0x01010101),
    txid,
    uint32(BEEF_V2),
    varint(beef.bumps.length),
    ...beef.bumps.map((bump) => Buffer.from(bump.toBinary())),
    varint(entries.length + 1),
    Buffer.from([0]),
    createFiller(bytes),
    ...entries,
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function varint(value: number): Buffer {
  return Buffer.from(new Utils.Writer().writeVarIntNum(value).toArray());
}
