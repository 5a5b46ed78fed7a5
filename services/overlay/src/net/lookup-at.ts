import type { LookupQuestion } from '@bsv/sdk';
import {
  ByteReader,
  type Outpoint,
  outpointKey,
  type ParsedTransaction,
  parseBeef,
  readBeef,
} from '@messagebox/wallet';
import { assertOk } from './assert-ok.js';
import { type BoundedRequest, FetchError, type PublicFetch } from './public-fetch.js';

/** An output that a host has named in its answer. That it is unspent, or in a valid transaction, is only its word. */
export interface FoundOutput extends Outpoint {
  /** The locking script: a view of the answer, so that what is kept is never more than what has come. */
  readonly script: Uint8Array;
}

export type LookupBounds = Pick<BoundedRequest, 'maxBytes' | 'timeoutMs' | 'signal'>;

const DEFAULT_BOUNDS: LookupBounds = { maxBytes: 4_000_000, timeoutMs: 5_000 };
/** Outputs of one answer that are looked at. */
const MOST_OUTPUTS = 500;
/** Transactions of one answer, with all that its outputs rest on. */
const MOST_TRANSACTIONS = 20_000;

/**
 * Asks a lookup service of another overlay host, with bounded effort. The SDK's own reads answers of any size, for some
 * takes time that grows with a power of their length, and makes of each output a BEEF of its own.
 *
 * @param host where its paths begin
 * @throws {FetchError} when the host doesn't answer, or not like a lookup service
 */
export async function lookupAt(
  fetch: PublicFetch,
  host: string,
  { service, query }: LookupQuestion,
  bounds: LookupBounds = {},
): Promise<FoundOutput[]> {
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
    const found = isBinary ? readAggregate(response.body) : readList(response.body);
    // One that is named twice is there once.
    return [...new Map(found.map((output) => [outpointKey(output), output])).values()];
  } catch (error) {
    throw new FetchError('The host has not answered like a lookup service.', { cause: error });
  }
}

/** The form that `aggregate()` writes: see http/aggregate.ts. */
function readAggregate(body: Buffer): FoundOutput[] {
  const reader = new ByteReader(body);
  const named = Array.from({ length: reader.count(34) }, () => {
    const txid = Buffer.from(reader.take(32)).toString('hex');
    const outputIndex = reader.varInt();
    reader.take(reader.varInt()); // the context
    return { txid, outputIndex };
  });
  if (named.length === 0) return [];
  const { transactions } = readBeef(reader.take(reader.left), MOST_TRANSACTIONS);
  return named.slice(0, MOST_OUTPUTS).flatMap(({ txid, outputIndex }) => found(transactions.get(txid), outputIndex));
}

function readList(body: Buffer): FoundOutput[] {
  const answer: unknown = JSON.parse(body.toString('utf8'));
  if (typeof answer !== 'object' || answer === null || !('outputs' in answer) || !Array.isArray(answer.outputs)) {
    throw new Error('There are no outputs.');
  }
  return answer.outputs.slice(0, MOST_OUTPUTS).flatMap((output: unknown) => {
    const { beef, outputIndex } = (output ?? {}) as { beef?: unknown; outputIndex?: unknown };
    return typeof outputIndex === 'number' ? found(subjectOf(beef), outputIndex) : [];
  });
}

function subjectOf(beef: unknown): ParsedTransaction | undefined {
  if (!Array.isArray(beef) || !beef.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)) {
    return undefined;
  }
  try {
    return parseBeef(Uint8Array.from(beef as number[]), MOST_TRANSACTIONS).subject;
  } catch {
    return undefined;
  }
}

/** Nothing when the answer does not have the output. */
function found(transaction: ParsedTransaction | undefined, outputIndex: number): FoundOutput[] {
  const script = transaction?.outputs[outputIndex]?.script;
  return transaction === undefined || script === undefined ? [] : [{ txid: transaction.txid, outputIndex, script }];
}
