import { RuleError } from '@messagebox/shared';
import { parseBeef } from '@messagebox/wallet';
import type { OverlayStorage } from './overlay-storage.js';

/** What GASP calls a node: one transaction, with its merkle path when it is in a block. */
export interface ForeignNode {
  graphID: string;
  /** Hex. */
  rawTx: string;
  outputIndex: number;
  /** Hex, BRC-74. */
  proof?: string;
}

const GASP_VERSION = 1;
/** Outputs in one answer: as many as the published client asks for when nobody says how many. */
const MOST_LISTED = 1_000;

/**
 * What another host asks of a topic: since when, and how much.
 *
 * @throws {RuleError} `ERR_INVALID_SYNC_REQUEST`
 */
export function syncRequest(request: unknown): { since: number; limit: number } {
  const { version, since, limit = MOST_LISTED } = fieldsOf(request);
  if (version !== GASP_VERSION) throw invalid(`This host speaks version ${GASP_VERSION} of GASP.`);
  if (!isWhole(since, 0)) throw invalid('since must be a whole number.');
  if (!isWhole(limit, 1)) throw invalid('limit must be a whole number.');
  return { since, limit: Math.min(limit, MOST_LISTED) };
}

/**
 * Finds a transaction among those that verify an output of ours.
 *
 * @param onRead is told how many bytes were read, before they are looked through
 * @throws {RuleError} `ERR_UNKNOWN_OUTPUT`, `ERR_INVALID_SYNC_REQUEST`
 */
export async function foreignNode(
  storage: OverlayStorage,
  graphID: unknown,
  txid: unknown,
  outputIndex: unknown,
  onRead?: (bytes: number) => Promise<void>,
): Promise<ForeignNode> {
  const graph = typeof graphID === 'string' ? /^([0-9a-f]{64})\.(\d{1,10})$/.exec(graphID) : null;
  if (graph === null) throw invalid('graphID must be TXID.INDEX.');
  if (typeof txid !== 'string' || !/^[0-9a-f]{64}$/.test(txid)) throw invalid('txid must be 64 hex characters.');
  if (!isWhole(outputIndex, 0)) throw invalid('outputIndex must be a whole number.');

  const [id, rootTxid = '', rootIndex = ''] = graph;
  const beef = await storage.findBeefOfOutput({ txid: rootTxid, outputIndex: Number(rootIndex) });
  if (beef !== undefined) await onRead?.(beef.length);
  const found = beef === undefined ? undefined : parseBeef(beef).transactions.get(txid);
  if (found === undefined) {
    throw new RuleError('ERR_UNKNOWN_OUTPUT', 'This host does not have that transaction for that output.', 404);
  }
  const { raw, proof } = found;
  return { graphID: id, outputIndex, rawTx: hex(raw), ...(proof === undefined ? {} : { proof: hex(proof.raw) }) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fieldsOf(request: unknown): Readonly<Record<string, unknown>> {
  if (typeof request !== 'object' || request === null) throw invalid('The request must be a JSON object.');
  return request as Record<string, unknown>;
}

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function invalid(description: string): RuleError {
  return new RuleError('ERR_INVALID_SYNC_REQUEST', description);
}
