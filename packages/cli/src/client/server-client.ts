import { AuthFetch, type WalletInterface } from '@bsv/sdk';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import { toInert } from '../output/inert-text.js';
import { getField, getText } from './fields.js';
import { describeNetworkError } from './network-errors.js';

export interface ServerClientOptions {
  /** The server's URL with its prefix and without a slash at the end. */
  readonly url: string;
  readonly wallet: WalletInterface;
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when the user wants to stop. */
  readonly signal?: AbortSignal | undefined;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Requests to one server, each of them signed and its answer verified (BRC-103, BRC-104). */
export class ServerClient {
  readonly #options: ServerClientOptions;
  readonly #authFetch: AuthFetch;

  constructor(options: ServerClientOptions) {
    this.#options = options;
    this.#authFetch = new AuthFetch(options.wallet);
  }

  get url(): string {
    return this.#options.url;
  }

  /** The server's identity, once it has answered a request. */
  get serverIdentityKey(): string | undefined {
    return this.#authFetch.peers[new URL(this.url).origin]?.identityKey;
  }

  get(path: string, query: Query = {}): Promise<unknown> {
    return this.#requestJson('GET', `${path}${toSearch(query)}`);
  }

  post(path: string, body: object): Promise<unknown> {
    return this.#requestJson('POST', path, body);
  }

  put(path: string, body: object): Promise<unknown> {
    return this.#requestJson('PUT', path, body);
  }

  /** The text of an answer that is no single JSON value. @throws {CliError} as the others */
  async postForText(path: string, body: object): Promise<string> {
    const response = await this.#fetch('POST', path, body);
    const text = await response.text();
    if (!response.ok) throw toRefusal(response.status, parseJson(text));
    return text;
  }

  /** @throws {CliError} when the server can't be reached, refuses, or fails */
  async #requestJson(method: Method, path: string, body?: object): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    const answer = parseJson(await response.text());
    if (!response.ok || getField(answer, 'status') === 'error') throw toRefusal(response.status, answer);
    return answer;
  }

  async #fetch(method: Method, path: string, body: object | undefined): Promise<Response> {
    const { url, timeoutMs, signal } = this.#options;
    // A response that fails its verification never settles the promise of AuthFetch.
    const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
    const ended = new Promise<never>((_resolve, reject) => {
      const end = () =>
        reject(
          signal?.aborted === true
            ? new CliError(EXIT.interrupted, 'Interrupted.')
            : new CliError(EXIT.unreachable, `${url} did not give a valid answer within ${timeoutMs / 1000} s.`, {
                advice: 'Is it a MessageBox server? messagebox doctor --origin URL looks for the cause.',
              }),
        );
      if (limit.aborted) end();
      else limit.addEventListener('abort', end, { once: true });
    });
    try {
      return await Promise.race([
        this.#authFetch.fetch(`${url}${path}`, {
          method,
          ...(body === undefined
            ? {}
            : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        }),
        ended,
      ]);
    } catch (error) {
      throw error instanceof CliError ? error : this.#explain(error);
    }
  }

  #explain(error: unknown): CliError {
    const { url } = this;
    const network = describeNetworkError(error);
    if (network !== undefined) {
      return new CliError(EXIT.unreachable, `${url} can't be reached: ${network}.`, {
        advice: 'Name the server with --server or MESSAGEBOX_URL, or start one with: messagebox start',
        cause: error,
      });
    }
    const details = getField(error, 'details');
    const status = getField(details, 'status');
    if (typeof status === 'number') {
      const answer = parseJson(getText(details, 'bodyPreview'));
      // An answer before the authentication is unsigned, such as 429.
      if (getField(answer, 'code') !== undefined) return toRefusal(status, answer);
      return new CliError(
        EXIT.unreachable,
        `${url} answered HTTP ${status} without a signature: it is no MessageBox server, or something before it answers.`,
        { cause: error },
      );
    }
    const isCutOff = error instanceof Error && error.message.startsWith('Network error');
    return new CliError(
      EXIT.unreachable,
      isCutOff ? `${url} can't be reached.` : `${url} does not answer as a MessageBox server.`,
      { cause: error },
    );
  }
}

function toRefusal(status: number, answer: unknown): CliError {
  const code = getText(answer, 'code');
  const description = toInert(getText(answer, 'description') || getText(answer, 'message'));
  const text = [description || `HTTP ${status}.`, code && `(${toInert(code)})`].filter(Boolean).join(' ');
  return status >= 500
    ? new CliError(EXIT.failed, `The server failed: ${text}`, { code })
    : new CliError(EXIT.refused, `The server refused: ${text}`, { code });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toSearch(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  return search.size === 0 ? '' : `?${search}`;
}
