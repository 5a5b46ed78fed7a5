import { retryContention } from './retry-contention.js';
import { decodeName, encodeName, fixed, type Sql, type SqlClient, type SqlRow, varying } from './sql-client.js';
import { sqlErrorKind, withStoreErrors } from './translate-error.js';

/** Registrations of an identity, unless another number is given. */
export const MOST_DEVICES = 50;

/** What a client says of itself; checked by the rule. */
export interface NewDevice {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  readonly fcmToken: string;
  readonly deviceId: string | undefined;
  readonly platform: string | undefined;
}

export interface Device {
  readonly id: number;
  readonly identityKey: string;
  readonly fcmToken: string;
  readonly deviceId: string | undefined;
  readonly platform: string | undefined;
  /** False once the push service has called the token dead, until it is registered again. */
  readonly active: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When it was registered or pushed to. Undefined for some that the reference server has left. */
  readonly lastUsed: Date | undefined;
}

export interface DeviceOptions {
  /** An identity's registrations beyond this number are forgotten: those first that are not active, then the oldest. */
  readonly most?: number;
  /** Told when some are forgotten because there are too many. Must not throw. */
  readonly onForgotten?: () => void;
}

const TABLE = 'device_registrations';
const COLUMNS = 'id, identity_key, fcm_token, device_id, platform, active, created_at, updated_at, last_used';
const FIND_TOKEN = fixed(`SELECT id FROM ${TABLE} WHERE fcm_token = ?`);
const FIND = fixed(`SELECT ${COLUMNS} FROM ${TABLE} WHERE id = ?`);
const LIST = `SELECT ${COLUMNS} FROM ${TABLE} WHERE identity_key = ?
  ORDER BY active DESC, COALESCE(last_used, updated_at) DESC, id DESC`;
const SURPLUS = (
  most: number,
) => `SELECT id, COALESCE(last_used, updated_at) AS used FROM ${TABLE} WHERE identity_key = ?
  ORDER BY active DESC, COALESCE(last_used, updated_at) DESC, id DESC LIMIT 1000 OFFSET ${most}`;
const INSERT = fixed(`INSERT INTO ${TABLE}
  (identity_key, device_id, platform, active, created_at, updated_at, last_used, fcm_token) VALUES (?, ?, ?, 1, ?, ?, ?, ?)`);
const UPDATE = fixed(`UPDATE ${TABLE}
  SET identity_key = ?, device_id = ?, platform = ?, active = 1, updated_at = ?, last_used = ?
  WHERE id = ? AND fcm_token = ?`);
const DEACTIVATE = fixed(`UPDATE ${TABLE} SET active = 0, updated_at = ? WHERE id = ?`);
const USED = fixed(`UPDATE ${TABLE} SET last_used = ? WHERE id = ?`);
const MAX_ATTEMPTS = 5;

/**
 * Devices that are to be told of messages. A token is one device's, and belongs to one identity at a time: the last that
 * registered it. All methods throw {@link StoreUnavailableError} and nothing else.
 */
export class DeviceRegistrations {
  readonly #most: number;
  readonly #surplus: Sql;
  readonly #onForgotten: () => void;

  constructor(
    private readonly sql: SqlClient,
    { most = MOST_DEVICES, onForgotten = () => {} }: DeviceOptions = {},
  ) {
    this.#most = most;
    this.#surplus = fixed(SURPLUS(most));
    this.#onForgotten = onForgotten;
  }

  /**
   * Registers a device, or brings its registration up to date: active, and this identity's.
   *
   * @returns the row's id, which stays the same for a token
   */
  register(device: NewDevice, now = new Date()): Promise<number> {
    return withStoreErrors(async () => {
      const id = await this.#upsert(device, now);
      await this.#forgetSurplus(device.identityKey);
      return id;
    });
  }

  /** A page of an identity's devices, active ones first, then by last use. By default all that are kept. */
  list(identityKey: string, { limit = this.#most, offset = 0 } = {}): Promise<Device[]> {
    const page = varying(`${LIST} LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(offset)}`);
    return withStoreErrors(async () => (await this.sql.read(page, [encodeName(identityKey)])).map(toDevice));
  }

  find(id: number): Promise<Device | undefined> {
    return withStoreErrors(async () => (await this.sql.read(FIND, [id])).map(toDevice)[0]);
  }

  /** Ids of active devices of several identities; who has none is not in the map. */
  activeOf(identityKeys: readonly string[]): Promise<Map<string, number[]>> {
    return withStoreErrors(async () => {
      const found = new Map<string, number[]>();
      if (identityKeys.length === 0) return found;
      const places = identityKeys.map(() => '?').join(', ');
      const rows = await this.sql.read(
        varying(
          `SELECT id, identity_key FROM ${TABLE} WHERE active = 1 AND identity_key IN (${places}) ORDER BY id DESC`,
        ),
        identityKeys.map(encodeName),
      );
      for (const row of rows) {
        const key = decodeName(row['identity_key']);
        const ids = found.get(key) ?? [];
        // The reference server keeps any number of them.
        if (ids.length < this.#most) found.set(key, [...ids, Number(row['id'])]);
      }
      return found;
    });
  }

  /** Its token is dead: no more pushes to it until it is registered again. */
  deactivate(id: number, now = new Date()): Promise<void> {
    return withStoreErrors(() =>
      retryContention(async () => void (await this.sql.write(DEACTIVATE, [this.sql.time(now), id]))),
    );
  }

  /** It was pushed to. */
  used(id: number, now = new Date()): Promise<void> {
    return withStoreErrors(() =>
      retryContention(async () => void (await this.sql.write(USED, [this.sql.time(now), id]))),
    );
  }

  async #upsert(device: NewDevice, now: Date): Promise<number> {
    const token = encodeName(device.fcmToken);
    const owner = encodeName(device.identityKey);
    const about = [device.deviceId ?? null, device.platform ?? null];
    const time = this.sql.time(now);
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const [known] = await this.sql.read(FIND_TOKEN, [token]);
      try {
        if (known === undefined) {
          const insert = () => this.sql.write(INSERT, [owner, ...about, time, time, time, token]);
          return (await retryContention(insert)).insertId;
        }
        const id = Number(known['id']);
        const update = () => this.sql.write(UPDATE, [owner, ...about, time, time, id, token]);
        if ((await retryContention(update)).changes > 0) return id;
      } catch (error) {
        // Somebody else was faster, and its row is committed: the next look finds it.
        if (sqlErrorKind(error) !== 'duplicate') throw error;
      }
    }
    throw new Error('others register and forget this device all the time');
  }

  /** Leaves alone what has become another identity's, or was registered or used again, since it was looked for. */
  async #forgetSurplus(identityKey: string): Promise<void> {
    const owner = encodeName(identityKey);
    const surplus = await this.sql.read(this.#surplus, [owner]);
    if (surplus.length === 0) return;
    this.#onForgotten();
    const lastUse = new Date(Math.max(...surplus.map((row) => toDate(row['used']).getTime())));
    const places = surplus.map(() => '?').join(', ');
    const sql = varying(
      `DELETE FROM ${TABLE} WHERE id IN (${places}) AND identity_key = ? AND COALESCE(last_used, updated_at) <= ?`,
    );
    const ids = surplus.map((row) => Number(row['id']));
    await retryContention(() => this.sql.write(sql, [...ids, owner, this.sql.time(lastUse)]));
  }
}

function toDevice(row: SqlRow): Device {
  const lastUsed = row['last_used'];
  return {
    id: Number(row['id']),
    identityKey: decodeName(row['identity_key']),
    fcmToken: decodeName(row['fcm_token']),
    deviceId: textOf(row['device_id']),
    platform: textOf(row['platform']),
    active: Number(row['active']) === 1,
    createdAt: toDate(row['created_at']),
    updatedAt: toDate(row['updated_at']),
    lastUsed: lastUsed === null ? undefined : toDate(lastUsed),
  };
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}

/** MySQL's driver gives a Date, SQLite holds milliseconds. */
function toDate(value: unknown): Date {
  return new Date(value as Date | number);
}
