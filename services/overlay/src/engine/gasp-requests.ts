import { RuleError } from '@messagebox/messages';
import { parseBeef } from '@messagebox/transactions';
import type { OverlayStorage } from '../storage/overlay-storage.js';

/** A node of GASP: one transaction, with its merkle path when it is in a block. */
export interface ForeignNode {
  graphID: string;
  /** Hex. */
  rawTx: string;
  outputIndex: number;
  /** Hex, BRC-74. */
  proof?: string;
}

const GASP_VERSION = 1;
/** Outputs in one answer. The published client asks for this number by default. */
const MAX_LISTED = 1_000;

/**
 * Parses a request for the outputs of a topic: the score to start from, and the number of outputs.
 *
 * @throws {RuleError} `ERR_INVALID_SYNC_REQUEST`
 */
export function parseSyncRequest(request: unknown): { since: number; limit: number } {
  const { version, since, limit = MAX_LISTED } = parseObject(request);
  if (version !== GASP_VERSION)
    throw invalidSyncRequestError(`version must be ${GASP_VERSION}, the version of GASP that this host supports.`);
  if (!isIntegerFrom(since, 0)) throw invalidSyncRequestError('since must be a whole number.');
  if (!isIntegerFrom(limit, 1)) throw invalidSyncRequestError('limit must be a whole number.');
  return { since, limit: Math.min(limit, MAX_LISTED) };
}

/**
 * Finds a transaction among those that verify a held output.
 *
 * @param onRead called with the number of bytes that were read, before they are searched
 * @throws {RuleError} `ERR_UNKNOWN_OUTPUT`, `ERR_INVALID_SYNC_REQUEST`
 */
export async function findForeignNode(
  storage: OverlayStorage,
  graphID: unknown,
  txid: unknown,
  outputIndex: unknown,
  onRead?: (bytes: number) => Promise<void>,
): Promise<ForeignNode> {
  const graph = typeof graphID === 'string' ? /^([0-9a-f]{64})\.(\d{1,10})$/.exec(graphID) : null;
  if (graph === null) throw invalidSyncRequestError('graphID must have the form TXID.INDEX.');
  if (typeof txid !== 'string' || !/^[0-9a-f]{64}$/.test(txid))
    throw invalidSyncRequestError('txid must be 64 hex characters.');
  if (!isIntegerFrom(outputIndex, 0)) throw invalidSyncRequestError('outputIndex must be a whole number.');

  const [id, rootTxid = '', rootIndex = ''] = graph;
  const beef = await storage.findBeefOfOutput({ txid: rootTxid, outputIndex: Number(rootIndex) });
  if (beef !== undefined) await onRead?.(beef.length);
  const found = beef === undefined ? undefined : parseBeef(beef).transactions.get(txid);
  if (found === undefined) {
    throw new RuleError('ERR_UNKNOWN_OUTPUT', 'This host does not have this transaction for this output.', 404);
  }
  const { raw, proof } = found;
  return { graphID: id, outputIndex, rawTx: toHex(raw), ...(proof === undefined ? {} : { proof: toHex(proof.raw) }) };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function parseObject(request: unknown): Readonly<Record<string, unknown>> {
  if (typeof request !== 'object' || request === null)
    throw invalidSyncRequestError('The request must be a JSON object.');
  return request as Record<string, unknown>;
}

function isIntegerFrom(value: unknown, min: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min;
}

function invalidSyncRequestError(description: string): RuleError {
  return new RuleError('ERR_INVALID_SYNC_REQUEST', description);
}
