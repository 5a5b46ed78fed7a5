import type { LookupQuestion } from '@bsv/sdk';
import { type BoundedRequest, FetchError, type PublicFetch } from '@messagebox/shared';
import {
  ByteReader,
  type Outpoint,
  type ParsedTransaction,
  parseBeef,
  readBeef,
  toOutpointKey,
} from '@messagebox/transactions';
import { assertOk } from './assert-ok.js';

/** An output in a host's answer. Nothing is verified: it may be spent, or its transaction invalid. */
export interface RemoteOutput extends Outpoint {
  /** The locking script: a view of the answer's bytes, so that many outputs don't copy them. */
  readonly script: Uint8Array;
}

export type LookupBounds = Pick<BoundedRequest, 'maxBytes' | 'timeoutMs' | 'signal'>;

const DEFAULT_BOUNDS: LookupBounds = { maxBytes: 4_000_000, timeoutMs: 5_000 };
/** Outputs that are read from one answer. */
const MAX_ANSWER_OUTPUTS = 500;
/** Transactions in one answer, ancestors included. */
const MAX_ANSWER_TRANSACTIONS = 20_000;

/**
 * Asks a lookup service of another overlay host (BRC-24), with bounded effort. The SDK's client accepts answers of any
 * size, needs time that grows polynomially with the length of some, and makes a BEEF of its own of each output.
 *
 * @param host the base of its paths
 * @throws {FetchError} when the host does not answer, or the answer is not that of a lookup service
 */
export async function queryLookupService(
  fetch: PublicFetch,
  host: string,
  { service, query }: LookupQuestion,
  bounds: LookupBounds = {},
): Promise<RemoteOutput[]> {
  const response = await fetch.request(`${host}/lookup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-aggregation': 'yes' },
    body: JSON.stringify({ service, query }),
    ...DEFAULT_BOUNDS,
    ...bounds,
  });
  assertOk(response);
  try {
    const isBinary = response.contentType.startsWith('application/octet-stream');
    const outputs = isBinary ? readAggregate(response.body) : readList(response.body);
    // An output that is named twice is returned once.
    return [...new Map(outputs.map((output) => [toOutpointKey(output), output])).values()];
  } catch (error) {
    throw new FetchError('The answer is not that of a lookup service.', { cause: error });
  }
}

/** Reads the format that `serializeAggregate()` writes: see http/serialize-aggregate.ts. */
function readAggregate(body: Buffer): RemoteOutput[] {
  const reader = new ByteReader(body);
  const named = Array.from({ length: reader.readCount(34) }, () => {
    const txid = Buffer.from(reader.readBytes(32)).toString('hex');
    const outputIndex = reader.readVarInt();
    reader.readBytes(reader.readVarInt()); // the context
    return { txid, outputIndex };
  });
  if (named.length === 0) return [];
  const { transactions } = readBeef(reader.readBytes(reader.remaining), MAX_ANSWER_TRANSACTIONS);
  return named
    .slice(0, MAX_ANSWER_OUTPUTS)
    .flatMap(({ txid, outputIndex }) => findOutput(transactions.get(txid), outputIndex));
}

function readList(body: Buffer): RemoteOutput[] {
  const answer: unknown = JSON.parse(body.toString('utf8'));
  if (typeof answer !== 'object' || answer === null || !('outputs' in answer) || !Array.isArray(answer.outputs)) {
    throw new Error('The answer has no outputs.');
  }
  return answer.outputs.slice(0, MAX_ANSWER_OUTPUTS).flatMap((output: unknown) => {
    const { beef, outputIndex } = (output ?? {}) as { beef?: unknown; outputIndex?: unknown };
    return typeof outputIndex === 'number' ? findOutput(parseSubject(beef), outputIndex) : [];
  });
}

function parseSubject(beef: unknown): ParsedTransaction | undefined {
  if (!Array.isArray(beef) || !beef.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) {
    return undefined;
  }
  try {
    return parseBeef(Uint8Array.from(beef as number[]), MAX_ANSWER_TRANSACTIONS).subject;
  } catch {
    return undefined;
  }
}

/** @returns an empty list when the answer does not have the output */
function findOutput(transaction: ParsedTransaction | undefined, outputIndex: number): RemoteOutput[] {
  const script = transaction?.outputs[outputIndex]?.script;
  return transaction === undefined || script === undefined ? [] : [{ txid: transaction.txid, outputIndex, script }];
}
