import type { ClientNonceRecord, ClientNonceStore } from '../../src/http/client-nonces.js';

/** A store of client nonces in memory that counts its calls and can be made to fail. */
export class MemoryNonceStore implements ClientNonceStore {
  readonly #records = new Map<string, ClientNonceRecord>();
  finds = 0;
  fails = false;

  /** @returns what is kept under a session's handle */
  record(handle: Uint8Array): ClientNonceRecord | undefined {
    return this.#records.get(toHex(handle));
  }

  clear(): void {
    this.#records.clear();
  }

  async insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void> {
    this.#mayFail();
    this.#records.set(toHex(handle), { clientNonce, proven: false, expiresAt });
  }

  async find(handle: Uint8Array): Promise<ClientNonceRecord | undefined> {
    this.finds += 1;
    this.#mayFail();
    return this.record(handle);
  }

  async markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean> {
    this.#mayFail();
    const record = this.record(handle);
    if (!record || record.proven) return false;
    this.#records.set(toHex(handle), { ...record, proven: true, expiresAt });
    return true;
  }

  #mayFail(): void {
    if (this.fails) throw new Error('the store is away');
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
