import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, fetch as request } from 'undici';
import type { Network } from '../config/read-config.js';
import { describeError } from './describe-error.js';
import { parseUrl } from './parse-url.js';
import { isPublicAddress } from './public-address.js';

/** A request has failed, or its answer cannot be used. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  /** The status of an answer that reports an error; undefined without an answer. */
  readonly status: number | undefined;
  constructor(message: string, options: { readonly cause?: unknown; readonly status?: number } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
  }
}

/** The answer exceeds {@link BoundedRequest.maxBytes}. */
export class AnswerTooLargeError extends FetchError {}

export interface BoundedRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Limit on the answer's body after decompression. Default: 4 MB. */
  readonly maxBytes?: number;
  /** Whether the answer's body is left unread, whatever its length; the response then has an empty one. Default: false. */
  readonly ignoresBody?: boolean;
  /** Limit on the whole request, from the DNS lookup to the last byte. Default: 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface BoundedResponse {
  readonly status: number;
  readonly contentType: string;
  /** The header of this name; null when the answer has none. */
  readonly getHeader: (name: string) => string | null;
  readonly body: Buffer;
}

export interface PublicFetchOptions {
  /** Certificate authority of the hosts, in PEM. Default: those of Node.js. */
  readonly certificateAuthority?: string | undefined;
}

const DEFAULT_MAX_BYTES = 4_000_000;
const DEFAULT_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 16_384;

/**
 * Sends requests to addresses that strangers chose. Size and time of the answers are limited, and redirects are refused.
 * On networks main and test, requests go to public addresses only. The check is done on the address that is connected to,
 * so it can't be evaded by a name that resolves differently the second time.
 */
export class PublicFetch {
  readonly #agent: Agent;

  constructor(
    private readonly network: Network,
    { certificateAuthority }: PublicFetchOptions = {},
  ) {
    this.#agent = new Agent({
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
        ...(network === 'local' ? {} : { lookup: lookupPublic }),
      },
      connections: 8,
      keepAliveTimeout: 4_000,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
  }

  /** @throws {FetchError} for any failure. An answer with an error status is not a failure. */
  async request(url: string, options: BoundedRequest = {}): Promise<BoundedResponse> {
    const { method = 'GET', headers = {}, body, maxBytes = DEFAULT_MAX_BYTES, ignoresBody = false } = options;
    this.#assertAllowed(url);
    const timeout = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    try {
      const response = await request(url, {
        method,
        headers: { ...headers },
        redirect: 'error',
        dispatcher: this.#agent,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      return {
        status: response.status,
        contentType: response.headers.get('content-type') ?? '',
        getHeader: (name) => response.headers.get(name),
        body: ignoresBody ? await cancelBody(response.body) : await readBounded(response.body, maxBytes),
      };
    } catch (error) {
      if (error instanceof FetchError) throw error;
      throw new FetchError(timeout.aborted ? 'The host did not answer in time.' : describeError(findCause(error)), {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #assertAllowed(url: string): void {
    const parsed = parseUrl(url);
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
      throw new FetchError('The address is not an http or https URL.');
    if (this.network === 'local') return;
    if (parsed.protocol !== 'https:') throw new FetchError('The address is not https.');
    // An IP address is connected to without a lookup, so it is checked here.
    const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !isPublicAddress(host)) throw new FetchError('The address is not public.');
  }
}

/** Resolves a name to its public addresses. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, '', 0);
    const allowed = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = allowed;
    if (first === undefined) return callback(new FetchError('The name resolves to no public address.'), '', 0);
    if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};

async function readBounded(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) throw new AnswerTooLargeError(`The answer has more than ${maxBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Closes the connection when the body has not come yet. */
async function cancelBody(body: Pick<ReadableStream, 'cancel'> | null): Promise<Buffer> {
  await body?.cancel();
  return Buffer.alloc(0);
}

/** Undici's own message is only "fetch failed". */
function findCause(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error;
}
