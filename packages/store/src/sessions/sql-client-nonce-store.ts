import type { ClientNonceRecord, ClientNonceStore } from '@messagebox/brc103';
import { retryContention } from '../client/retry-contention.js';
import { getBytes, getCount, getHex, getInteger, getName } from '../client/rows.js';
import { dynamic, prepared, type Sql, type SqlClient, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { inList, listRows } from '../client/sql-text.js';
import { StatementQueue } from '../client/statement-queue.js';
import { StoreUnavailableError } from '../client/store-errors.js';
import { withStoreErrors } from '../client/translate-error.js';

const MAX_BATCH = 256;
/** Rows that one statement of a purge deletes. */
const PURGE_BATCH = 1_000;
const SELECT_EXPIRED = prepared(
  `SELECT handle FROM client_nonces WHERE proven = ? AND expires_at < ? ORDER BY expires_at LIMIT ${PURGE_BATCH}`,
);
const SELECT_OLDEST_UNPROVEN = prepared(
  `SELECT handle FROM client_nonces WHERE proven = 0 ORDER BY expires_at LIMIT ${PURGE_BATCH}`,
);
const COUNT_UNPROVEN = prepared('SELECT COUNT(*) AS total FROM client_nonces WHERE proven = 0');

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
export class SqlClientNonceStore implements ClientNonceStore {
  readonly #insertions;
  readonly #lookups;
  readonly #confirmations;

  constructor(private readonly sql: SqlClient) {
    this.#insertions = batchPerTick<Insertion, undefined>((inputs) => this.#insertAll(inputs), 1);
    this.#lookups = batchPerTick<Buffer, ClientNonceRecord | undefined>((handles) => this.#findAll(handles));
    this.#confirmations = batchPerTick<Confirmation, boolean>((inputs) => this.#markAllProven(inputs), 1);
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
   * Deletes expired entries, and the oldest unproven entries above `maxUnproven`, which a flood of handshakes leaves. An
   * entry that is proven and has not expired is never deleted. Several instances may purge at the same time.
   *
   * @returns the number of rows that this call has deleted
   */
  async purge(now: Date, maxUnproven: number): Promise<number> {
    return withStoreErrors(async () => {
      let deleted = 0;
      for (const proven of [0, 1]) {
        deleted += await this.#deleteWhile(SELECT_EXPIRED, [proven, now.getTime()]);
      }
      const [row] = await this.sql.read(COUNT_UNPROVEN, []);
      const surplus = getCount(row, 'total') - maxUnproven;
      return deleted + (await this.#deleteWhile(SELECT_OLDEST_UNPROVEN, [], surplus));
    });
  }

  /** Deletes the rows that `select` finds, in batches, so that no statement holds locks for long. */
  async #deleteWhile(select: Sql, values: readonly SqlValue[], max = Number.POSITIVE_INFINITY): Promise<number> {
    let found = 0;
    let deleted = 0;
    while (found < max) {
      const rows = await this.sql.read(select, values);
      const handles = rows.map((row) => getBytes(row, 'handle')).slice(0, max - found);
      if (handles.length > 0) {
        const statement = dynamic(`DELETE FROM client_nonces WHERE handle ${inList(handles.length)}`);
        deleted += (await retryContention(() => this.sql.write(statement, handles))).changes;
      }
      found += handles.length;
      if (rows.length < PURGE_BATCH) break;
    }
    return deleted;
  }

  async #insertAll(inputs: readonly Insertion[]): Promise<undefined[]> {
    const rows = listRows('(?, ?, 0, ?)', inputs.length);
    const statement = dynamic(`INSERT INTO client_nonces (handle, client_nonce, proven, expires_at) VALUES ${rows}`);
    const values = inputs.flatMap(({ handle, clientNonce, expiresAt }) => [
      handle,
      toBinaryName(clientNonce),
      expiresAt,
    ]);
    await retryContention(() => this.sql.write(statement, values));
    return inputs.map(() => undefined);
  }

  async #findAll(handles: readonly Buffer[]): Promise<(ClientNonceRecord | undefined)[]> {
    const statement = dynamic(
      `SELECT handle, client_nonce, proven, expires_at FROM client_nonces WHERE handle ${inList(handles.length)}`,
    );
    const found = new Map<string, ClientNonceRecord>();
    for (const row of await this.sql.read(statement, handles)) {
      const record: ClientNonceRecord = {
        clientNonce: getName(row, 'client_nonce'),
        proven: getInteger(row, 'proven') === 1,
        expiresAt: new Date(getInteger(row, 'expires_at')),
      };
      found.set(getHex(row, 'handle'), record);
    }
    return handles.map((handle) => found.get(handle.toString('hex')));
  }

  /** Each entry keeps its own expiry, although all are updated by one statement. */
  async #markAllProven(inputs: readonly Confirmation[]): Promise<boolean[]> {
    // Sorted, so that two instances with the same handles don't deadlock.
    const sorted = [...inputs].sort((a, b) => Buffer.compare(a.handle, b.handle));
    const handles = sorted.map(({ handle }) => handle);
    const cases = sorted.map(() => 'WHEN ? THEN ?').join(' ');
    const statement = dynamic(
      `UPDATE client_nonces SET expires_at = CASE handle ${cases} ELSE expires_at END, proven = 1
       WHERE handle ${inList(handles.length)} AND proven = 0`,
    );
    const expiries = sorted.flatMap(({ handle, expiresAt }) => [handle, expiresAt]);
    const { changes } = await retryContention(() => this.sql.write(statement, [...expiries, ...handles]));
    return inputs.map(() => changes === inputs.length);
  }
}

/**
 * Turns a function of many inputs into one of a single input. Calls of the same turn of the event loop run together.
 *
 * @param maxRunning calls of `runAll` at a time. Default: no limit
 */
function batchPerTick<Input, Output>(
  runAll: (inputs: readonly Input[]) => Promise<readonly Output[]>,
  maxRunning?: number,
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
  const queue = new StatementQueue<Pending<Input, Output>>({
    maxBatchSize: MAX_BATCH,
    ...(maxRunning === undefined ? {} : { maxRunning }),
    run,
    giveUp: (group) => {
      const cause = new Error('The statements before this one were not answered in time.');
      for (const { reject } of group) reject(new StoreUnavailableError(cause));
    },
  });
  return (input) => new Promise((resolve, reject) => queue.add({ input, resolve, reject }));
}
