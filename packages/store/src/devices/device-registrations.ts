import { type RetryPolicy, retry } from '../client/retry.js';
import { retryContention } from '../client/retry-contention.js';
import { getDate, getInteger, getName, getOptionalDate, getOptionalText } from '../client/rows.js';
import { dynamic, prepared, type Sql, type SqlClient, type SqlRow, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { classifySqlError, withStoreErrors } from '../client/translate-error.js';

/** Default limit of registrations of one identity. */
export const MAX_DEVICES = 50;

/** A device as its client describes it. The caller has checked the values. */
export interface NewDevice {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  readonly fcmToken: string;
  readonly deviceId: string | undefined;
  readonly platform: string | undefined;
}

/** A registered device. */
export interface Device {
  readonly id: number;
  readonly identityKey: string;
  readonly fcmToken: string;
  readonly deviceId: string | undefined;
  readonly platform: string | undefined;
  /** False after the push service has rejected the token, until the device is registered again. */
  readonly active: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The time of the last registration or push. Undefined for some rows of the reference server. */
  readonly lastUsed: Date | undefined;
}

export interface DeviceRegistrationsOptions {
  /** An identity's registrations above this number are deleted: inactive ones first, then the oldest. */
  readonly maxDevices?: number;
  /** Called when registrations are deleted because there are too many. Must not throw. */
  readonly onEvicted?: () => void;
}

const TABLE = 'device_registrations';
const COLUMNS = 'id, identity_key, fcm_token, device_id, platform, active, created_at, updated_at, last_used';
const SELECT_BY_TOKEN = prepared(`SELECT id FROM ${TABLE} WHERE fcm_token = ?`);
const SELECT_BY_ID = prepared(`SELECT ${COLUMNS} FROM ${TABLE} WHERE id = ?`);
const SELECT_BY_IDENTITY = `SELECT ${COLUMNS} FROM ${TABLE} WHERE identity_key = ?
  ORDER BY active DESC, COALESCE(last_used, updated_at) DESC, id DESC`;
const buildSurplusQuery = (
  maxDevices: number,
) => `SELECT id, COALESCE(last_used, updated_at) AS used FROM ${TABLE} WHERE identity_key = ?
  ORDER BY active DESC, COALESCE(last_used, updated_at) DESC, id DESC LIMIT 1000 OFFSET ${maxDevices}`;
const INSERT = prepared(`INSERT INTO ${TABLE}
  (identity_key, device_id, platform, active, created_at, updated_at, last_used, fcm_token) VALUES (?, ?, ?, 1, ?, ?, ?, ?)`);
const UPDATE = prepared(`UPDATE ${TABLE}
  SET identity_key = ?, device_id = ?, platform = ?, active = 1, updated_at = ?, last_used = ?
  WHERE id = ? AND fcm_token = ?`);
const DEACTIVATE = prepared(`UPDATE ${TABLE} SET active = 0, updated_at = ? WHERE id = ?`);
const UPDATE_LAST_USED = prepared(`UPDATE ${TABLE} SET last_used = ? WHERE id = ?`);
/** Another caller has inserted or deleted the device's row between the SELECT and the write. */
class RegistrationConflictError extends Error {}
const CONFLICT_RETRY: RetryPolicy = {
  isRetryable: (error) => error instanceof RegistrationConflictError,
  maxAttempts: 5,
};

/**
 * The devices to which messages are announced. A token stands for one device, and belongs to the identity that registered
 * it last. All methods throw {@link StoreUnavailableError} and nothing else.
 */
export class DeviceRegistrations {
  readonly #maxDevices: number;
  readonly #selectSurplus: Sql;
  readonly #onEvicted: () => void;

  constructor(
    private readonly sql: SqlClient,
    { maxDevices = MAX_DEVICES, onEvicted = () => {} }: DeviceRegistrationsOptions = {},
  ) {
    this.#maxDevices = maxDevices;
    this.#selectSurplus = prepared(buildSurplusQuery(maxDevices));
    this.#onEvicted = onEvicted;
  }

  /**
   * Registers a device. An existing registration of its token is updated: it becomes active, and this identity's.
   *
   * @returns the row's id, which stays the same for a token
   */
  register(device: NewDevice, now = new Date()): Promise<number> {
    return withStoreErrors(async () => {
      const id = await this.#upsert(device, now);
      await this.#evictSurplus(device.identityKey);
      return id;
    });
  }

  /** A page of an identity's devices: active ones first, then by last use. Default: all devices. */
  list(identityKey: string, { limit = this.#maxDevices, offset = 0 } = {}): Promise<Device[]> {
    const page = dynamic(`${SELECT_BY_IDENTITY} LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(offset)}`);
    return withStoreErrors(async () => (await this.sql.read(page, [toBinaryName(identityKey)])).map(toDevice));
  }

  /** The device of a row; undefined when the row doesn't exist. */
  find(id: number): Promise<Device | undefined> {
    return withStoreErrors(async () => (await this.sql.read(SELECT_BY_ID, [id])).map(toDevice)[0]);
  }

  /** The ids of the identities' active devices. An identity without one is not in the map. */
  listActiveIds(identityKeys: readonly string[]): Promise<Map<string, number[]>> {
    return withStoreErrors(async () => {
      const found = new Map<string, number[]>();
      if (identityKeys.length === 0) return found;
      const where = `active = 1 AND identity_key ${inList(identityKeys.length)}`;
      const rows = await this.sql.read(
        dynamic(`SELECT id, identity_key FROM ${TABLE} WHERE ${where} ORDER BY id DESC`),
        identityKeys.map(toBinaryName),
      );
      for (const row of rows) {
        const key = getName(row, 'identity_key');
        const ids = found.get(key) ?? [];
        // The reference server has no limit, so a database that was its may have more.
        if (ids.length < this.#maxDevices) found.set(key, [...ids, getInteger(row, 'id')]);
      }
      return found;
    });
  }

  /** Ends pushes to a device until it is registered again, because its token is dead. */
  deactivate(id: number, now = new Date()): Promise<void> {
    return withStoreErrors(() =>
      retryContention(async () => void (await this.sql.write(DEACTIVATE, [this.sql.toSqlTime(now), id]))),
    );
  }

  /** Records that a message was pushed to the device. */
  markUsed(id: number, now = new Date()): Promise<void> {
    return withStoreErrors(() =>
      retryContention(async () => void (await this.sql.write(UPDATE_LAST_USED, [this.sql.toSqlTime(now), id]))),
    );
  }

  async #upsert(device: NewDevice, now: Date): Promise<number> {
    const token = toBinaryName(device.fcmToken);
    const owner = toBinaryName(device.identityKey);
    const about = [device.deviceId ?? null, device.platform ?? null];
    const time = this.sql.toSqlTime(now);
    return retry(CONFLICT_RETRY, async () => {
      const [known] = await this.sql.read(SELECT_BY_TOKEN, [token]);
      try {
        if (known === undefined) {
          const insert = () => this.sql.write(INSERT, [owner, ...about, time, time, time, token]);
          return (await retryContention(insert)).insertId;
        }
        const id = getInteger(known, 'id');
        const update = () => this.sql.write(UPDATE, [owner, ...about, time, time, id, token]);
        if ((await retryContention(update)).changes > 0) return id;
      } catch (error) {
        if (classifySqlError(error) !== 'duplicate') throw error;
      }
      throw new RegistrationConflictError('The registration is being changed by others.');
    });
  }

  /** Keeps rows that were given to another identity, registered again or used since the SELECT. */
  async #evictSurplus(identityKey: string): Promise<void> {
    const owner = toBinaryName(identityKey);
    const surplus = await this.sql.read(this.#selectSurplus, [owner]);
    if (surplus.length === 0) return;
    this.#onEvicted();
    const lastUse = new Date(Math.max(...surplus.map((row) => getDate(row, 'used').getTime())));
    const sql = dynamic(
      `DELETE FROM ${TABLE} WHERE id ${inList(surplus.length)} AND identity_key = ?
       AND COALESCE(last_used, updated_at) <= ?`,
    );
    const ids = surplus.map((row) => getInteger(row, 'id'));
    await retryContention(() => this.sql.write(sql, [...ids, owner, this.sql.toSqlTime(lastUse)]));
  }
}

function toDevice(row: SqlRow): Device {
  return {
    id: getInteger(row, 'id'),
    identityKey: getName(row, 'identity_key'),
    fcmToken: getName(row, 'fcm_token'),
    deviceId: getOptionalText(row, 'device_id'),
    platform: getOptionalText(row, 'platform'),
    active: getInteger(row, 'active') === 1,
    createdAt: getDate(row, 'created_at'),
    updatedAt: getDate(row, 'updated_at'),
    lastUsed: getOptionalDate(row, 'last_used'),
  };
}
