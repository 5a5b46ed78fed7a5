import { toHex } from '../wire/bytes.js';
import type { RecordedBody } from './traffic.js';

/** The calls of a wallet that are recorded. None of their arguments or results holds a private key. */
export type WalletMethod =
  | 'createHmac'
  | 'createSignature'
  | 'decrypt'
  | 'encrypt'
  | 'getPublicKey'
  | 'verifyHmac'
  | 'verifySignature';

/** A call of a wallet. */
export interface WalletCall {
  readonly id: number;
  readonly method: WalletMethod;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The identity of the wallet: 66 hex characters. Undefined until it is known. */
  readonly identityKey: string | undefined;
  /** Security level and protocol name (BRC-43). Undefined for the identity key itself. */
  readonly protocolID: readonly [number, string] | undefined;
  readonly keyID: string | undefined;
  /** An identity key, `self` or `anyone`. */
  readonly counterparty: string | undefined;
  /** What was signed, verified, authenticated, encrypted or decrypted. */
  readonly input: RecordedBody | undefined;
  /** The signature or HMAC that was made or checked, or the result of encrypting or decrypting. */
  readonly output: RecordedBody | undefined;
  /** The public key that `getPublicKey` gave, in hex. */
  readonly publicKey: string | undefined;
  /** For checks: the verdict. False when the wallet refused, whatever its reason. */
  readonly valid: boolean | undefined;
  /** What the wallet said when it refused the call. */
  readonly error: string | undefined;
}

/** The bounds of a log. */
export interface WalletLogOptions {
  /** The most calls. Default: 3,000: a request with its answer needs four. */
  readonly maxCalls?: number;
  /** The most bytes of inputs and outputs together. Default: 20 MB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_CALLS = 3_000;
const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;

/** The calls of the page's wallets: the newest, within bounds. Finds the call that made or checked given bytes. */
export class WalletLog {
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  readonly #calls = new Map<number, WalletCall>();
  readonly #byOutput = new Map<string, WalletCall[]>();
  readonly #listeners = new Set<() => void>();
  #bytes = 0;
  #lastId = 0;
  #isPaused = false;

  constructor({ maxCalls = DEFAULT_MAX_CALLS, maxBytes = DEFAULT_MAX_BYTES }: WalletLogOptions = {}) {
    this.#maxCalls = maxCalls;
    this.#maxBytes = maxBytes;
  }

  /** The calls, the oldest first. */
  get calls(): WalletCall[] {
    return [...this.#calls.values()];
  }

  /** While paused, no call is recorded. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  add(call: Omit<WalletCall, 'id'>): void {
    if (this.#isPaused) return;
    this.#lastId += 1;
    const kept: WalletCall = { id: this.#lastId, ...call };
    this.#calls.set(kept.id, kept);
    this.#bytes += sizeOf(kept);
    const key = indexOf(kept);
    if (key !== undefined) this.#byOutput.set(key, [...(this.#byOutput.get(key) ?? []), kept]);
    for (const oldest of this.#calls.values()) {
      if (this.#calls.size <= this.#maxCalls && this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
    for (const listener of this.#listeners) listener();
  }

  /** The calls of `method` that made or checked these bytes (a signature, an HMAC), or gave them (a text). Oldest first. */
  find(method: WalletMethod, output: Uint8Array): WalletCall[] {
    return this.#byOutput.get(`${method} ${toHex(output.subarray(0, INDEXED_BYTES))}`) ?? [];
  }

  clear(): void {
    this.#calls.clear();
    this.#byOutput.clear();
    this.#bytes = 0;
  }

  /** Calls the listener after each call. Returns a function that ends this. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #remove(call: WalletCall): void {
    this.#calls.delete(call.id);
    this.#bytes -= sizeOf(call);
    const key = indexOf(call);
    if (key === undefined) return;
    const rest = (this.#byOutput.get(key) ?? []).filter(({ id }) => id !== call.id);
    if (rest.length === 0) this.#byOutput.delete(key);
    else this.#byOutput.set(key, rest);
  }
}

/** Enough for every signature and HMAC; a ciphertext begins with 32 random bytes. */
const INDEXED_BYTES = 96;

/** Calls are found by what they made or checked. A decryption is found by its ciphertext, which is its input. */
function indexOf({ method, input, output }: WalletCall): string | undefined {
  const indexed = method === 'decrypt' ? input : output;
  return indexed && `${method} ${toHex(indexed.bytes.subarray(0, INDEXED_BYTES))}`;
}

const CALL_BYTES = 500;
const sizeOf = ({ input, output }: WalletCall): number =>
  CALL_BYTES + (input?.bytes.length ?? 0) + (output?.bytes.length ?? 0);
