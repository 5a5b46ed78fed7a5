import type { Output } from '@bsv/overlay';
import { RuleError } from '@messagebox/shared';
import { outpointKey, parseBeef } from '@messagebox/wallet';
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
/** Outputs in one answer. */
const MOST_LISTED = 10_000;
/** Outputs of the history that are searched for one node. */
const MOST_SEARCHED = 50;

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
 * Finds a transaction among those that verify an output of ours, and among those of the outputs that it has consumed.
 * Each is looked at once, however they are entangled.
 *
 * @throws {RuleError} `ERR_UNKNOWN_OUTPUT`, `ERR_INVALID_SYNC_REQUEST`
 */
export async function foreignNode(
  storage: OverlayStorage,
  graphID: unknown,
  txid: unknown,
  outputIndex: unknown,
): Promise<ForeignNode> {
  const graph = typeof graphID === 'string' ? /^([0-9a-f]{64})\.(\d{1,10})$/.exec(graphID) : null;
  if (graph === null) throw invalid('graphID must be TXID.INDEX.');
  if (typeof txid !== 'string' || !/^[0-9a-f]{64}$/.test(txid)) throw invalid('txid must be 64 hex characters.');
  if (!isWhole(outputIndex, 0)) throw invalid('outputIndex must be a whole number.');

  const [, rootTxid = '', rootIndex = ''] = graph;
  const left = [{ txid: rootTxid, outputIndex: Number(rootIndex) }];
  const seen = new Set<string>();
  for (let next = left.shift(); next !== undefined && seen.size < MOST_SEARCHED; next = left.shift()) {
    if (seen.has(outpointKey(next))) continue;
    seen.add(outpointKey(next));
    const output = await storage.findOutput(next.txid, next.outputIndex, undefined, undefined, true);
    const found = output === null ? undefined : findIn(output, txid);
    if (found !== undefined) return { graphID: graph[0], outputIndex, ...found };
    if (output !== null) left.push(...output.outputsConsumed);
  }
  throw new RuleError('ERR_UNKNOWN_OUTPUT', 'This host does not have that transaction for that output.', 404);
}

function findIn({ beef }: Output, txid: string): { rawTx: string; proof?: string } | undefined {
  const found = beef === undefined ? undefined : parseBeef(Uint8Array.from(beef)).transactions.get(txid);
  if (found === undefined) return undefined;
  const { raw, proof } = found;
  return { rawTx: hex(raw), ...(proof === undefined ? {} : { proof: hex(proof.raw) }) };
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
