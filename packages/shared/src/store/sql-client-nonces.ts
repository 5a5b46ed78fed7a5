import type { ClientNonceRecord, ClientNonceStore } from '@messagebox/brc103';
import { PerTurn } from './per-turn.js';
import { retryContention } from './retry-contention.js';
import { decodeName, encodeName, fixed, type Sql, type SqlClient, type SqlValue, varying } from './sql-client.js';
import { withStoreErrors } from './translate-error.js';

const MAX_BATCH = 256;
/** Rows that one statement of a purge removes. */
const PURGE_BATCH = 1_000;
const SELECT_EXPIRED = fixed(
  `SELECT handle FROM client_nonces WHERE proven = ? AND expires_at < ? ORDER BY expires_at LIMIT ${PURGE_BATCH}`,
);
const SELECT_OLDEST_UNPROVEN = fixed(
  `SELECT handle FROM client_nonces WHERE proven = 0 ORDER BY expires_at LIMIT ${PURGE_BATCH}`,
);
const COUNT_UNPROVEN = fixed('SELECT COUNT(*) AS total FROM client_nonces WHERE proven = 0');

interface Insertion {
  readonly handle: Buffer;
  readonly clientNonce: string;
  readonly expiresAt: number;
}

interface Confirmation {
  readonly handle: Buffer;
  readonly expiresAt: number;
}

interface Pending<Input, Output> {
  readonly input: Input;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Client nonces (BRC-103) in the table `client_nonces`, for all instances on this database. Calls that come in the same
 * turn of the event loop share a statement. All methods throw {@link StoreUnavailableError} and nothing else.
 */
export class SqlClientNonces implements ClientNonceStore {
  readonly #insertions;
  readonly #lookups;
  readonly #confirmations;

  constructor(private readonly sql: SqlClient) {
    this.#insertions = batched<Insertion, undefined>((inputs) => this.#insertAll(inputs));
    this.#lookups = batched<Buffer, ClientNonceRecord | undefined>((handles) => this.#findAll(handles));
    this.#confirmations = batched<Confirmation, boolean>((inputs) => this.#markAllProven(inputs));
  }

  insert(handle: Uint8Array, clientNonce: string, expiresAt: Date): Promise<void> {
    return this.#insertions({ handle: Buffer.from(handle), clientNonce, expiresAt: expiresAt.getTime() });
  }

  find(handle: Uint8Array): Promise<ClientNonceRecord | undefined> {
    return this.#lookups(Buffer.from(handle));
  }

  markProven(handle: Uint8Array, expiresAt: Date): Promise<boolean> {
    return this.#confirmations({ handle: Buffer.from(handle), expiresAt: expiresAt.getTime() });
  }

  /**
   * Deletes what has expired, and, when handshakes flood the table, the oldest unproven entries above `maxUnproven`. An
   * entry that is proven and has not expired is never deleted. Several instances may do so at once.
   *
   * @returns how many rows this call has deleted
   */
  async purge(now: Date, maxUnproven: number): Promise<number> {
    return withStoreErrors(async () => {
      let deleted = 0;
      for (const proven of [0, 1]) {
        deleted += await this.#deleteWhile(SELECT_EXPIRED, [proven, now.getTime()]);
      }
      const [row] = await this.sql.read(COUNT_UNPROVEN, []);
      const surplus = Number(row?.['total'] ?? 0) - maxUnproven;
      return deleted + (await this.#deleteWhile(SELECT_OLDEST_UNPROVEN, [], surplus));
    });
  }

  /** Deletes what `select` finds, in portions, so that no single statement holds locks for long. */
  async #deleteWhile(select: Sql, values: readonly SqlValue[], max = Number.POSITIVE_INFINITY): Promise<number> {
    let found = 0;
    let deleted = 0;
    while (found < max) {
      const rows = await this.sql.read(select, values);
      const handles = rows.map((row) => row['handle'] as Buffer).slice(0, max - found);
      if (handles.length > 0) {
        const statement = varying(`DELETE FROM client_nonces WHERE handle IN (${places(handles)})`);
        deleted += (await retryContention(() => this.sql.write(statement, handles))).changes;
      }
      found += handles.length;
      if (rows.length < PURGE_BATCH) break;
    }
    return deleted;
  }

  async #insertAll(inputs: readonly Insertion[]): Promise<undefined[]> {
    const rows = inputs.map(() => '(?, ?, 0, ?)').join(', ');
    const statement = varying(`INSERT INTO client_nonces (handle, client_nonce, proven, expires_at) VALUES ${rows}`);
    const values = inputs.flatMap(({ handle, clientNonce, expiresAt }) => [handle, encodeName(clientNonce), expiresAt]);
    await retryContention(() => this.sql.write(statement, values));
    return inputs.map(() => undefined);
  }

  async #findAll(handles: readonly Buffer[]): Promise<(ClientNonceRecord | undefined)[]> {
    const statement = varying(
      `SELECT handle, client_nonce, proven, expires_at FROM client_nonces WHERE handle IN (${places(handles)})`,
    );
    const found = new Map<string, ClientNonceRecord>();
    for (const row of await this.sql.read(statement, handles)) {
      const record: ClientNonceRecord = {
        clientNonce: decodeName(row['client_nonce']),
        proven: Number(row['proven']) === 1,
        expiresAt: new Date(Number(row['expires_at'])),
      };
      found.set((row['handle'] as Buffer).toString('hex'), record);
    }
    return handles.map((handle) => found.get(handle.toString('hex')));
  }

  /** Each keeps an expiry of its own: nobody's session becomes longer by the company that it keeps. */
  async #markAllProven(inputs: readonly Confirmation[]): Promise<boolean[]> {
    // In one order for everybody, so that two instances with the same handles don't deadlock.
    const sorted = [...inputs].sort((a, b) => Buffer.compare(a.handle, b.handle));
    const handles = sorted.map(({ handle }) => handle);
    const cases = sorted.map(() => 'WHEN ? THEN ?').join(' ');
    const statement = varying(
      `UPDATE client_nonces SET expires_at = CASE handle ${cases} ELSE expires_at END, proven = 1
       WHERE handle IN (${places(handles)}) AND proven = 0`,
    );
    const expiries = sorted.flatMap(({ handle, expiresAt }) => [handle, expiresAt]);
    const { changes } = await retryContention(() => this.sql.write(statement, [...expiries, ...handles]));
    return inputs.map(() => changes === inputs.length);
  }
}

function places(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}

/** Turns a function of many inputs into one of a single input; calls of the same turn of the event loop run together. */
function batched<Input, Output>(
  runAll: (inputs: readonly Input[]) => Promise<readonly Output[]>,
): (input: Input) => Promise<Output> {
  const run = (group: readonly Pending<Input, Output>[]) =>
    withStoreErrors(() => runAll(group.map(({ input }) => input))).then(
      (outputs) => {
        for (const [i, { resolve }] of group.entries()) resolve(outputs[i] as Output);
      },
      (error: unknown) => {
        for (const { reject } of group) reject(error);
      },
    );
  const queue = new PerTurn<Pending<Input, Output>>(MAX_BATCH, (group) => void run(group));
  return (input) => new Promise((resolve, reject) => queue.add({ input, resolve, reject }));
}
