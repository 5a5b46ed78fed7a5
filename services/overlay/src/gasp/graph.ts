import {
  type BeefTransaction,
  InvalidTransactionError,
  type Outpoint,
  outpointKey,
  parseProof,
  parseTransaction,
  serializeBeef,
  withAncestors,
} from '@messagebox/wallet';
import { type Peer, UselessAnswerError } from './peer.js';

/** As much as may be submitted (see the limits of the verifier). */
const MOST_TRANSACTIONS = 200;
const MOST_BYTES = 1_000_000;

/**
 * Fetches from a peer what an output rests on: its transaction and, back to those with a merkle path, its ancestors.
 *
 * @returns a BEEF that nobody has verified yet
 * @throws {InvalidTransactionError} when what the peer sends can't be read, or is too much or too little
 * @throws {UselessAnswerError} when it is not what was asked for; and as `Peer.node`
 */
export async function fetchBeef(peer: Peer, output: Outpoint): Promise<Buffer> {
  const found = new Map<string, BeefTransaction>();
  const wanted = [output];
  let bytes = 0;
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    if (found.has(next.txid)) continue;
    const transaction = await fetchTransaction(peer, output, next);
    bytes += transaction.raw.length + (transaction.proof?.raw.length ?? 0);
    if (found.size >= MOST_TRANSACTIONS || bytes > MOST_BYTES)
      throw new InvalidTransactionError('limit', 'It rests on too much.');
    found.set(next.txid, transaction);
    if (transaction.proof === undefined) wanted.push(...transaction.inputs);
  }
  return serializeBeef(withAncestors(output.txid, (txid) => found.get(txid)));
}

async function fetchTransaction(peer: Peer, root: Outpoint, wanted: Outpoint): Promise<BeefTransaction> {
  const node = await peer.node(outpointKey(root), wanted);
  const transaction = parseTransaction(node.raw);
  if (transaction.txid !== wanted.txid) throw new UselessAnswerError('The peer has sent another transaction.');
  const proof = node.proof === undefined ? undefined : parseProof(node.proof);
  if (proof !== undefined && !proof.leaves.has(wanted.txid)) {
    throw new UselessAnswerError('The peer has sent the merkle path of another transaction.');
  }
  return { ...transaction, proof };
}
