import {
  type BeefTransaction,
  collectWithAncestors,
  InvalidTransactionError,
  type Outpoint,
  parseProof,
  parseTransaction,
  serializeBeef,
  toOutpointKey,
} from '@messagebox/transactions';
import { type GaspPeer, InvalidPeerAnswerError } from './gasp-peer.js';

/** The verifier's limits for a submission. */
const MAX_GRAPH_TRANSACTIONS = 200;
const MAX_GRAPH_BYTES = 1_000_000;

/**
 * Fetches the transaction of an output from a peer, with its ancestors back to those with a merkle path.
 *
 * @returns a BEEF that is not verified yet
 * @throws {InvalidTransactionError} when a transaction can't be parsed, or there are too many or too few
 * @throws {InvalidPeerAnswerError} when the peer sends another transaction than the wanted one; and as `GaspPeer.fetchNode`
 */
export async function fetchBeef(peer: GaspPeer, output: Outpoint): Promise<Buffer> {
  const found = new Map<string, BeefTransaction>();
  const wanted = [output];
  let bytes = 0;
  for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
    if (found.has(next.txid)) continue;
    const transaction = await fetchTransaction(peer, output, next);
    bytes += transaction.raw.length + (transaction.proof?.raw.length ?? 0);
    if (found.size >= MAX_GRAPH_TRANSACTIONS || bytes > MAX_GRAPH_BYTES)
      throw new InvalidTransactionError('limit', 'The output needs too many transactions or bytes.');
    found.set(next.txid, transaction);
    if (transaction.proof === undefined) wanted.push(...transaction.inputs);
  }
  return serializeBeef(collectWithAncestors(output.txid, (txid) => found.get(txid)));
}

async function fetchTransaction(peer: GaspPeer, root: Outpoint, wanted: Outpoint): Promise<BeefTransaction> {
  const node = await peer.fetchNode(toOutpointKey(root), wanted);
  const transaction = parseTransaction(node.raw);
  if (transaction.txid !== wanted.txid) throw new InvalidPeerAnswerError('The peer sent another transaction.');
  const proof = node.proof === undefined ? undefined : parseProof(node.proof);
  if (proof !== undefined && !proof.leaves.has(wanted.txid)) {
    throw new InvalidPeerAnswerError('The peer sent the merkle path of another transaction.');
  }
  return { ...transaction, proof };
}
