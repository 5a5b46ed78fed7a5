import type { ClientNonceRecord, ClientNonceStore } from '../../src/http/client-nonce-store.js';

/** A store of client nonces in memory that counts its calls and can be made to fail. */
export class MemoryNonceStore implements ClientNonceStore {
  readonly #records = new Map<string, ClientNonceRecord>();
  findCount = 0;
  isFailing = false;

  /** Returns the record of a session's handle. */
  record(handle: Uint8Array): ClientNonceRecord | undefined {
    return this.#records.get(toHex(handle));
  }

  clear(): void {
    this.#records.clear();
  }

  async insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void> {
    this.#throwIfFailing();
    this.#records.set(toHex(handle), { clientNonce, proven: false, expiresAt });
  }

  async find(handle: Uint8Array): Promise<ClientNonceRecord | undefined> {
    this.findCount += 1;
    this.#throwIfFailing();
    return this.record(handle);
  }

  async markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean> {
    this.#throwIfFailing();
    const record = this.record(handle);
    if (!record || record.proven) return false;
    this.#records.set(toHex(handle), { ...record, proven: true, expiresAt });
    return true;
  }

  #throwIfFailing(): void {
    if (this.isFailing) throw new Error('the store is unavailable');
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
