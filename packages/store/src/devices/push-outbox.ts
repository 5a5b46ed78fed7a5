import { randomBytes } from 'node:crypto';
import { chunks } from '../client/chunks.js';
import { retryContention } from '../client/retry-contention.js';
import { getCount, getInteger, getName, getOptionalDate } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { inList, listRows } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import { describeExpiry } from '../messages/message-expiry.js';
import type { NewMessage } from '../messages/message-store.js';
import { DeviceRegistrations } from './device-registrations.js';

/** A device that is to be told of a message. */
export interface NewPushDelivery {
  readonly device: number;
  readonly recipient: string;
  readonly sender: string;
  readonly messageId: string;
  /** The message's box. Undefined for messages of older versions, which push from `notifications` only. */
  readonly messageBox?: string | undefined;
  /** When the message was stored: milliseconds since 1970. */
  readonly createdAt: number;
  /** The trace of the send (W3C). Undefined when it is not traced, and for messages of older versions. */
  readonly traceparent?: string | undefined;
}

export interface PushDelivery extends NewPushDelivery {
  readonly id: number;
  /** Attempts that have failed so far. */
  readonly attempts: number;
  /** Whether the message had expired when the delivery was claimed. */
  readonly hasExpired: boolean;
  /** When the message expires: milliseconds since 1970. Undefined: never, or the message is gone. */
  readonly expiresAt: number | undefined;
}

/** The next attempt of a delivery. `attempts` is the new number of those that have failed. */
export interface NextAttempt extends Pick<PushDelivery, 'id' | 'attempts'> {
  /** Milliseconds since 1970. */
  readonly nextAttemptAt: number;
}

const MESSAGES = 'push_outbox';
const DELIVERIES = 'push_deliveries';
const INSERT_MESSAGES = `INSERT INTO ${MESSAGES} (recipient, sender, message_id, message_box, created_at, traceparent) VALUES `;
const MESSAGE_VALUES = '(?, ?, ?, ?, ?, ?)';
const INSERT_ONE_MESSAGE = prepared(INSERT_MESSAGES + MESSAGE_VALUES);
const INSERT_DELIVERIES = `INSERT INTO ${DELIVERIES}
  (device_id, recipient, sender, message_id, message_box, created_at, next_attempt_at, traceparent) VALUES `;
const OWN = 'claimed_by BETWEEN ? AND ?';
const RESCHEDULE = prepared(`UPDATE ${DELIVERIES} SET attempts = ?, next_attempt_at = ? WHERE id = ? AND ${OWN}`);
const RELEASE_OWN = prepared(`UPDATE ${DELIVERIES} SET next_attempt_at = created_at, claimed_by = NULL WHERE ${OWN}`);
const MAX_ROWS_PER_STATEMENT = 200;
const MESSAGE_BATCH_SIZE = 100;
/** How often a claim tries again because others were faster with the rows that it saw. */
const MAX_CLAIM_ATTEMPTS = 5;

/**
 * The queue of pushes, in the database. All methods but `add` throw {@link StoreUnavailableError} and nothing else.
 *
 * A send writes one row for its message (`push_outbox`). `claim` replaces it by a row for each active device of the
 * recipient (`push_deliveries`), in one transaction. Devices are not looked up by the send, so a send costs one row
 * whatever its recipient has registered.
 *
 * A delivery is due from `next_attempt_at` on. `claim` gives due ones to one instance and moves that time to the end of the
 * lease, so that another instance gets those that were not removed or rescheduled by then.
 */
export class PushOutbox {
  /** The first half of `claimed_by`. The second half differs for each claim. */
  readonly #instance = randomBytes(8);
  readonly #ownRange = [0, 255].map((byte) => Buffer.concat([this.#instance, Buffer.alloc(8, byte)]));

  constructor(
    private readonly sql: SqlClient,
    private readonly devices = new DeviceRegistrations(sql),
  ) {}

  /**
   * Writes a row for each message, in the transaction of `runner`. Rejects with what the driver said.
   *
   * @param traceparent the trace that the pushes belong to
   */
  async add(
    runner: SqlRunner,
    messages: readonly NewMessage[],
    now = Date.now(),
    traceparent?: string | undefined,
  ): Promise<void> {
    for (const chunk of chunks(messages, MAX_ROWS_PER_STATEMENT)) {
      const many = () => dynamic(INSERT_MESSAGES + listRows(MESSAGE_VALUES, chunk.length));
      await runner.write(
        chunk.length === 1 ? INSERT_ONE_MESSAGE : many(),
        chunk.flatMap((message) => [...toNames(message), toBinaryName(message.messageBox), now, traceparent ?? null]),
      );
    }
  }

  /** Adds deliveries whose messages have no row. They are due at once. */
  addDeliveries(deliveries: readonly NewPushDelivery[], now = Date.now()): Promise<void> {
    return withStoreErrors(() => retryContention(() => insertDeliveries(this.sql, deliveries, now)));
  }

  /**
   * Takes deliveries that are due, the oldest first. No other claim gets them for `leaseMs`.
   *
   * @returns at most `limit`; none when there are none
   */
  claim(limit: number, leaseMs: number, now = Date.now()): Promise<PushDelivery[]> {
    return withStoreErrors(async () => {
      const claimedBy = Buffer.concat([this.#instance, randomBytes(8)]);
      const due = dynamic(
        `SELECT id FROM ${DELIVERIES} WHERE next_attempt_at <= ? ORDER BY next_attempt_at, id LIMIT ${Math.trunc(limit)}`,
      );
      // Always, so that deliveries which fail again and again do not delay new messages.
      await this.#expandMessages(limit, now);
      for (let attempt = 1; attempt <= MAX_CLAIM_ATTEMPTS; attempt++) {
        const ids = (await this.sql.read(due, [now])).map(toId);
        if (ids.length === 0) return [];
        const claim = dynamic(
          `UPDATE ${DELIVERIES} SET next_attempt_at = ?, claimed_by = ?
           WHERE id ${inList(ids.length)} AND next_attempt_at <= ?`,
        );
        const values = [now + leaseMs, claimedBy, ...ids, now];
        const { changes } = await retryContention(() => this.sql.write(claim, values));
        if (changes > 0) return await this.#readClaimed(claimedBy, ids);
      }
      return [];
    });
  }

  /** Renews the lease of this instance on these deliveries. */
  extend(ids: readonly number[], leaseMs: number, now = Date.now()): Promise<void> {
    return this.#changeRows(ids, `UPDATE ${DELIVERIES} SET next_attempt_at = ${Math.trunc(now + leaseMs)}`);
  }

  /** Deletes deliveries that have ended. */
  remove(ids: readonly number[]): Promise<void> {
    return this.#changeRows(ids, `DELETE FROM ${DELIVERIES}`);
  }

  /** Ends the lease of this instance on these deliveries, and says when they are due again. */
  reschedule(attempts: readonly NextAttempt[]): Promise<void> {
    return withStoreErrors(async () => {
      if (attempts.length === 0) return;
      await retryContention(() =>
        this.sql.transaction(async (runner) => {
          for (const { id, attempts: failed, nextAttemptAt } of attempts) {
            await runner.write(RESCHEDULE, [failed, nextAttemptAt, id, ...this.#ownRange]);
          }
        }),
      );
    });
  }

  /** Makes all deliveries due that this instance was the last to claim, also those that it has rescheduled. */
  releaseAll(): Promise<void> {
    return withStoreErrors(() => retryContention(async () => void (await this.sql.write(RELEASE_OWN, this.#ownRange))));
  }

  /**
   * Deletes what was stored before this time and is not claimed, among the first `batchSize` rows.
   *
   * @returns how many rows
   */
  deleteOlderThan(before: number, batchSize: number, now = Date.now()): Promise<number> {
    return withStoreErrors(async () => {
      let found = 0;
      let deleted = 0;
      for (const [table, freeFrom] of [
        [DELIVERIES, 'next_attempt_at'],
        [MESSAGES, 'claimed_until'],
      ] as const) {
        // By id, as they came: this needs no index on times, and locks no row that stays.
        const first = dynamic(`SELECT id, created_at FROM ${table} ORDER BY id LIMIT ${Math.trunc(batchSize - found)}`);
        const ids = (await this.sql.read(first, [])).filter((row) => getInteger(row, 'created_at') < before).map(toId);
        if (ids.length === 0) continue;
        found += ids.length;
        const drop = dynamic(`DELETE FROM ${table} WHERE id ${inList(ids.length)} AND ${freeFrom} <= ?`);
        deleted += (await retryContention(() => this.sql.write(drop, [...ids, now]))).changes;
      }
      return deleted;
    });
  }

  /** How many rows there are: messages without deliveries, and deliveries. Counts no further than `max`. */
  countUpTo(max: number): Promise<number> {
    return withStoreErrors(async () => {
      const count = (table: string) =>
        `(SELECT COUNT(*) FROM (SELECT id FROM ${table} LIMIT ${Math.trunc(max)}) AS counted)`;
      const [row] = await this.sql.read(dynamic(`SELECT ${count(MESSAGES)} + ${count(DELIVERIES)} AS n`), []);
      return Math.min(max, getCount(row, 'n'));
    });
  }

  /** How many deliveries are due, and how many are not, or are claimed. Counts no further than `max`. */
  countDeliveries(max: number, now = Date.now()): Promise<{ due: number; later: number }> {
    return withStoreErrors(async () => {
      const count = (when: string) => `(SELECT COUNT(*) FROM
        (SELECT id FROM ${DELIVERIES} WHERE next_attempt_at ${when} ? LIMIT ${Math.trunc(max)}) AS counted)`;
      const sql = dynamic(`SELECT ${count('<=')} AS due, ${count('>')} AS later`);
      const [row] = await this.sql.read(sql, [now, now]);
      return { due: getCount(row, 'due'), later: getCount(row, 'later') };
    });
  }

  async #readClaimed(claimedBy: Buffer, ids: readonly number[]): Promise<PushDelivery[]> {
    const expiry = describeExpiry(this.sql, 'm');
    const sql = dynamic(
      `SELECT d.id, d.device_id, d.recipient, d.sender, d.message_id, d.message_box, d.created_at, d.attempts, d.traceparent,
         EXISTS (SELECT 1 FROM messages m WHERE m.recipient = d.recipient AND m.messageId = d.message_id
           AND ${expiry.isExpired}) AS has_expired,
         (SELECT MIN(${expiry.expiresAt}) FROM messages m
           WHERE m.recipient = d.recipient AND m.messageId = d.message_id) AS expires_at
       FROM ${DELIVERIES} d WHERE d.id ${inList(ids.length)} AND d.claimed_by = ? ORDER BY d.id`,
    );
    return (await this.sql.read(sql, [...ids, claimedBy])).map((row) => ({
      ...toMessage(row),
      device: getInteger(row, 'device_id'),
      attempts: getInteger(row, 'attempts'),
      hasExpired: getInteger(row, 'has_expired') === 1,
      expiresAt: getOptionalDate(row, 'expires_at')?.getTime(),
    }));
  }

  #changeRows(ids: readonly number[], statement: string): Promise<void> {
    return withStoreErrors(async () => {
      if (ids.length === 0) return;
      const sql = dynamic(`${statement} WHERE id ${inList(ids.length)} AND ${OWN}`);
      await retryContention(() => this.sql.write(sql, [...ids, ...this.#ownRange]));
    });
  }

  /** Replaces the oldest messages by their deliveries, up to the message that makes them `limit`. */
  async #expandMessages(limit: number, now: number): Promise<void> {
    // Realtime of version 0.1.0 claims rows of this table. Rows that it has claimed are left to it.
    const free = dynamic(
      `SELECT id, recipient, sender, message_id, message_box, created_at, traceparent FROM ${MESSAGES} WHERE claimed_until <= ?
       ORDER BY id LIMIT ${MESSAGE_BATCH_SIZE}`,
    );
    for (let left = limit; left > 0; ) {
      const messages = (await this.sql.read(free, [now])).map(toMessage);
      if (messages.length === 0) return;
      const devices = await this.devices.listActiveIds([...new Set(messages.map(({ recipient }) => recipient))]);
      const batch = new Map<number, NewPushDelivery[]>();
      let room = left;
      for (const message of messages) {
        if (room <= 0) break;
        const deliveries = (devices.get(message.recipient) ?? []).map((device) => ({ ...message, device }));
        batch.set(message.id, deliveries);
        room -= deliveries.length;
      }
      left -= await retryContention(() => this.sql.transaction((runner) => this.#replaceMessages(runner, batch, now)));
    }
  }

  /** Replaces these messages, except those that another instance has replaced or claimed. @returns how many deliveries */
  async #replaceMessages(
    runner: SqlRunner,
    batch: ReadonlyMap<number, NewPushDelivery[]>,
    now: number,
  ): Promise<number> {
    const lock = dynamic(
      `SELECT id FROM ${MESSAGES} WHERE id ${inList(batch.size)} AND claimed_until <= ?
       ${this.sql.dialect.forUpdate}`,
    );
    const ids = (await runner.read(lock, [...batch.keys(), now])).map(toId);
    if (ids.length === 0) return 0;
    const deliveries = ids.flatMap((id) => batch.get(id) ?? []);
    await insertDeliveries(runner, deliveries, now);
    await runner.write(dynamic(`DELETE FROM ${MESSAGES} WHERE id ${inList(ids.length)}`), ids);
    return deliveries.length;
  }
}

async function insertDeliveries(runner: SqlRunner, deliveries: readonly NewPushDelivery[], now: number): Promise<void> {
  if (deliveries.length === 0) return;
  const sql = dynamic(INSERT_DELIVERIES + listRows('(?, ?, ?, ?, ?, ?, ?, ?)', deliveries.length));
  // An api whose clock is ahead must not delay a delivery.
  const toValues = (one: NewPushDelivery) => [
    one.device,
    ...toNames(one),
    one.messageBox === undefined ? null : toBinaryName(one.messageBox),
    one.createdAt,
    Math.min(one.createdAt, now),
    one.traceparent ?? null,
  ];
  await runner.write(sql, deliveries.flatMap(toValues));
}

function toNames({ recipient, sender, messageId }: Pick<NewMessage, 'recipient' | 'sender' | 'messageId'>): Buffer[] {
  return [recipient, sender, messageId].map(toBinaryName);
}

function toMessage(row: SqlRow) {
  return {
    id: toId(row),
    recipient: getName(row, 'recipient'),
    sender: getName(row, 'sender'),
    messageId: getName(row, 'message_id'),
    messageBox: row['message_box'] === null ? undefined : getName(row, 'message_box'),
    createdAt: getInteger(row, 'created_at'),
    traceparent: typeof row['traceparent'] === 'string' ? row['traceparent'] : undefined,
  };
}

function toId(row: SqlRow): number {
  return getInteger(row, 'id');
}
