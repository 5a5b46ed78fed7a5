import type {
  LookupAnswer,
  LookupQuestion,
  OverlayBroadcastFacilitator,
  OverlayLookupFacilitator,
  STEAK,
  TaggedBEEF,
} from '@bsv/sdk';
import { ByteReader, type ParsedBeef, parseBeef, serializeBeef, varInt, withAncestors } from '@messagebox/wallet';
import { type BoundedResponse, FetchError, type PublicFetch } from './public-fetch.js';

const LOOKUP_TIMEOUT_MS = 5_000;
const SUBMIT_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 4_000_000;
const MAX_STEAK_BYTES = 262_144;
/** Outputs of one answer that are looked at. */
const MOST_OUTPUTS = 500;
/** Bytes of BEEF that an answer may become when each output gets its own. */
const MAX_EXPANDED_BYTES = 16_000_000;
const REASON_BYTES = 200;

/**
 * Asks other overlay hosts, with bounded effort. In place of the SDK's own, which reads answers of any size, and for some
 * without end.
 */
export class BoundedLookupFacilitator implements OverlayLookupFacilitator {
  constructor(private readonly fetch: PublicFetch) {}

  /**
   * @param url origin of the host
   * @throws {FetchError} when the host doesn't answer, or not like a lookup service
   */
  async lookup(url: string, question: LookupQuestion, timeout = LOOKUP_TIMEOUT_MS): Promise<LookupAnswer> {
    const response = await this.fetch.request(`${url}/lookup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-aggregation': 'yes' },
      body: JSON.stringify({ service: question.service, query: question.query }),
      maxBytes: MAX_ANSWER_BYTES,
      timeoutMs: timeout,
    });
    assertOk(response);
    try {
      const isBinary = response.contentType.startsWith('application/octet-stream');
      return { type: 'output-list', outputs: isBinary ? readAggregate(response.body) : readList(response.body) };
    } catch (error) {
      throw new FetchError('The host has not answered like a lookup service.', { cause: error });
    }
  }
}

/** Submits to other overlay hosts, with bounded effort. The SDK's own doesn't use the fetch that it is given. */
export class BoundedBroadcastFacilitator implements OverlayBroadcastFacilitator {
  constructor(private readonly fetch: PublicFetch) {}

  /**
   * @param url origin of the host
   * @throws {FetchError} when the host doesn't answer, refuses (with its reason), or answers with something else
   */
  async send(url: string, { beef, topics, offChainValues }: TaggedBEEF): Promise<STEAK> {
    const bytes = Uint8Array.from(beef);
    const withValues = offChainValues !== undefined;
    const response = await this.fetch.request(`${url}/submit`, {
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        'x-topics': JSON.stringify(topics),
        ...(withValues ? { 'x-includes-off-chain-values': 'true' } : {}),
      },
      body: withValues ? Buffer.concat([varInt(bytes.length), bytes, Uint8Array.from(offChainValues)]) : bytes,
      maxBytes: MAX_STEAK_BYTES,
      timeoutMs: SUBMIT_TIMEOUT_MS,
    });
    assertOk(response);
    return readSteak(response.body);
  }
}

function assertOk({ status, body }: BoundedResponse): void {
  if (status >= 200 && status < 300) return;
  const reason = descriptionIn(body);
  throw new FetchError(`The host answers ${status}${reason === undefined ? '' : `: ${reason}`}.`, { status });
}

/** Ours say `description`, others `message`. Cut short, and in one line, since it goes into logs. */
function descriptionIn(body: Buffer): string | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    if (typeof answer !== 'object' || answer === null) return undefined;
    const text = 'description' in answer ? answer.description : 'message' in answer ? answer.message : undefined;
    return typeof text === 'string' ? text.replace(/[^\x21-\x7e]+/g, ' ').slice(0, REASON_BYTES) : undefined;
  } catch {
    return undefined;
  }
}

/** The form that `aggregate()` writes: see http/aggregate.ts. */
function readAggregate(body: Buffer): LookupAnswer['outputs'] {
  const reader = new ByteReader(body);
  const found = Array.from({ length: reader.count(34) }, () => {
    const txid = Buffer.from(reader.take(32)).toString('hex');
    const outputIndex = reader.varInt();
    const context = reader.take(reader.varInt());
    return { txid, outputIndex, context };
  }).slice(0, MOST_OUTPUTS);
  if (found.length === 0) return [];
  const { transactions } = parseBeef(reader.take(reader.left));
  const beefs = new Map<string, number[]>();
  let bytes = 0;
  return found.flatMap(({ txid, outputIndex, context }) => {
    const beef = beefs.get(txid) ?? beefOf(txid, transactions);
    beefs.set(txid, beef);
    bytes += beef.length;
    if (beef.length === 0 || bytes > MAX_EXPANDED_BYTES) return [];
    return [{ beef, outputIndex, ...(context.length === 0 ? {} : { context: [...context] }) }];
  });
}

/** Empty when the answer does not have what the transaction needs. */
function beefOf(txid: string, transactions: ParsedBeef['transactions']): number[] {
  try {
    return [...serializeBeef(withAncestors(txid, (id) => transactions.get(id)))];
  } catch {
    return [];
  }
}

function readList(body: Buffer): LookupAnswer['outputs'] {
  const answer: unknown = JSON.parse(body.toString('utf8'));
  if (typeof answer !== 'object' || answer === null || !('outputs' in answer) || !Array.isArray(answer.outputs)) {
    throw new Error('There are no outputs.');
  }
  return answer.outputs.slice(0, MOST_OUTPUTS).flatMap((output: unknown) => {
    const { beef, outputIndex } = (output ?? {}) as { beef?: unknown; outputIndex?: unknown };
    if (!Array.isArray(beef) || !Number.isSafeInteger(outputIndex)) return [];
    return isBeef(beef) ? [{ beef, outputIndex: outputIndex as number }] : [];
  });
}

/** Whether the SDK's reader will come to an end with it. */
function isBeef(beef: unknown[]): beef is number[] {
  try {
    if (!beef.every((byte) => Number.isInteger(byte) && (byte as number) >= 0 && (byte as number) < 256)) return false;
    parseBeef(Uint8Array.from(beef as number[]));
    return true;
  } catch {
    return false;
  }
}

function readSteak(body: Buffer): STEAK {
  const steak = Object.entries(parsedObject(body)).flatMap(([topic, instructions]) => {
    if (typeof instructions !== 'object' || instructions === null) return [];
    const { outputsToAdmit, coinsToRetain, coinsRemoved } = instructions as Record<string, unknown>;
    if (!isIndexes(outputsToAdmit) || !isIndexes(coinsToRetain)) return [];
    return [[topic, { outputsToAdmit, coinsToRetain, ...(isIndexes(coinsRemoved) ? { coinsRemoved } : {}) }] as const];
  });
  if (steak.length === 0) throw new FetchError('The host has not answered with a STEAK.');
  return Object.fromEntries(steak);
}

function parsedObject(body: Buffer): object {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

function isIndexes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((index) => Number.isSafeInteger(index));
}
