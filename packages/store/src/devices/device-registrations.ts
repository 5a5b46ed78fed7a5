import { type RetryPolicy, retry } from '../client/retry.js';
import { retryContention } from '../client/retry-contention.js';
import { getDate, getInteger, getName, getOptionalDate, getOptionalText } from '../client/rows.js';
import {
  dynamic,
  prepared,
  type Sql,
  type SqlClient,
  type SqlRow,
  type SqlValue,
  toBinaryName,
} from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { TooManyIdentitiesError } from '../client/store-errors.js';
import { classifySqlError, withStoreErrors } from '../client/translate-error.js';

/** Default limit of registrations of one identity. */
export const MAX_DEVICES = 50;
/** Identities that may register one token. See {@link DeviceRegistrations}. */
export const MAX_TOKEN_IDENTITIES = 20;
/** A registration that was neither renewed nor pushed to for so long gives way when its token has too many. */
const IDLE_AFTER_MS = 60 * 86_400_000;

/** The keys of a Web Push subscription (RFC 8291), in base64url as the browser gives them. */
export interface WebPushKeys {
  /** The P-256 public key. */
  readonly p256dh: string;
  /** The authentication secret. */
  readonly auth: string;
}

/** A device as its client describes it. The caller has checked the values. */
export interface NewDevice {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** The token of FCM, or the endpoint of a Web Push subscription. Up to 2,000 bytes. */
  readonly fcmToken: string;
  readonly deviceId: string | undefined;
  readonly platform: string | undefined;
  /** The keys of a Web Push subscription. Undefined for a token of FCM. */
  readonly webPushKeys?: WebPushKeys | undefined;
}

/** A registered device. */
export interface Device {
  readonly id: number;
  readonly identityKey: string;
  /** The token of FCM, or the endpoint of a Web Push subscription. */
  readonly fcmToken: string;
  readonly deviceId: string | undefined;
  readonly platform: string | undefined;
  /** Undefined for a token of FCM. */
  readonly webPushKeys: WebPushKeys | undefined;
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
const COLUMNS =
  'id, identity_key, fcm_token, device_id, platform, web_push_keys, active, created_at, updated_at, last_used';
const SELECT_BY_TOKEN = prepared(
  `SELECT id, identity_key, active, COALESCE(last_used, updated_at) AS used FROM ${TABLE} WHERE fcm_token = ? ORDER BY id`,
);
const SELECT_BY_ID = prepared(`SELECT ${COLUMNS} FROM ${TABLE} WHERE id = ?`);
const SELECT_BY_IDENTITY = `SELECT ${COLUMNS} FROM ${TABLE} WHERE identity_key = ?
  ORDER BY active DESC, COALESCE(last_used, updated_at) DESC, id DESC`;
const buildSurplusQuery = (
  maxDevices: number,
) => `SELECT id, COALESCE(last_used, updated_at) AS used FROM ${TABLE} WHERE identity_key = ?
  ORDER BY active DESC, COALESCE(last_used, updated_at) DESC, id DESC LIMIT 1000 OFFSET ${maxDevices}`;
const INSERT = prepared(`INSERT INTO ${TABLE}
  (device_id, platform, web_push_keys, active, created_at, updated_at, last_used, fcm_token, identity_key)
  VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)`);
const UPDATE = prepared(`UPDATE ${TABLE}
  SET device_id = ?, platform = ?, web_push_keys = ?, active = 1, updated_at = ?, last_used = ?
  WHERE id = ? AND fcm_token = ? AND identity_key = ?`);
const DELETE = prepared(`DELETE FROM ${TABLE} WHERE fcm_token = ? AND identity_key = ?`);
const DEACTIVATE = `UPDATE ${TABLE} SET active = 0, updated_at = ? WHERE fcm_token = ? AND web_push_keys`;
const DEACTIVATE_FCM = prepared(`${DEACTIVATE} IS NULL`);
const DEACTIVATE_WEB_PUSH = prepared(`${DEACTIVATE} IS NOT NULL`);
const UPDATE_LAST_USED = prepared(`UPDATE ${TABLE} SET last_used = ? WHERE id = ?`);
/** Another caller has inserted or deleted the device's row between the SELECT and the write. */
class RegistrationConflictError extends Error {}
const CONFLICT_RETRY: RetryPolicy = {
  isRetryable: (error) => error instanceof RegistrationConflictError,
  maxAttempts: 5,
};

/**
 * The devices to which messages are announced. A token stands for one device. Each identity that registers it has a
 * registration of its own, such as the profiles of one phone. All methods throw {@link StoreUnavailableError}, and nothing
 * else but what they name.
 *
 * Identities are free, and whoever knows a token can register it. So a token has at most {@link MAX_TOKEN_IDENTITIES}
 * registrations: otherwise a stranger could multiply the pushes to one device. Above that, a registration that is inactive, or
 * was neither renewed nor pushed to for 60 days, gives way to a new one. Without such a registration the new one is refused,
 * so that no stranger pushes out the owner of the device.
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
   * Registers a device. The identity's existing registration of its token is updated, and becomes active.
   *
   * @returns the row's id, which stays the same for a token and an identity
   * @throws {TooManyIdentitiesError} when the token has too many registrations; nothing was changed
   */
  register(device: NewDevice, now = new Date()): Promise<number> {
    return withStoreErrors(async () => {
      const id = await this.#upsert(device, now);
      await this.#evictSurplus(device.identityKey);
      return id;
    });
  }

  /** Deletes the identity's registration of a token, so that nothing more is pushed to it. @returns whether there was one */
  unregister(identityKey: string, fcmToken: string): Promise<boolean> {
    const values = [toBinaryName(fcmToken), toBinaryName(identityKey)];
    return withStoreErrors(async () => (await retryContention(() => this.sql.write(DELETE, values))).changes > 0);
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

  /**
   * Ends pushes to a dead token, for each identity until it registers the token again. Leaves alone registrations of the other
   * kind: FCM refuses an endpoint that somebody has registered as a token, and the endpoint may be alive.
   */
  deactivateToken(
    { fcmToken, webPushKeys }: Pick<Device, 'fcmToken' | 'webPushKeys'>,
    now = new Date(),
  ): Promise<void> {
    const statement = webPushKeys === undefined ? DEACTIVATE_FCM : DEACTIVATE_WEB_PUSH;
    const values = [this.sql.toSqlTime(now), toBinaryName(fcmToken)];
    return withStoreErrors(() => retryContention(async () => void (await this.sql.write(statement, values))));
  }

  /** Records that a message was pushed to the device. */
  markUsed(id: number, now = new Date()): Promise<void> {
    return withStoreErrors(() =>
      retryContention(async () => void (await this.sql.write(UPDATE_LAST_USED, [this.sql.toSqlTime(now), id]))),
    );
  }

  async #upsert(device: NewDevice, now: Date): Promise<number> {
    const [token, owner] = [device.fcmToken, device.identityKey].map(toBinaryName) as [Buffer, Buffer];
    const keys = device.webPushKeys && JSON.stringify(device.webPushKeys);
    const about = [device.deviceId ?? null, device.platform ?? null, keys ?? null];
    const time = this.sql.toSqlTime(now);
    return retry(CONFLICT_RETRY, async () => {
      const rows = await this.sql.read(SELECT_BY_TOKEN, [token]);
      const known = rows.find((row) => getName(row, 'identity_key') === device.identityKey);
      try {
        if (known === undefined) {
          // A refused registration writes nothing.
          if (rows.filter(isInUse(now)).length >= MAX_TOKEN_IDENTITIES)
            throw new TooManyIdentitiesError(MAX_TOKEN_IDENTITIES);
          const insert = () => this.sql.write(INSERT, [...about, time, time, time, token, owner]);
          const { insertId } = await retryContention(insert);
          await this.#evictSurplusOfToken(token, insertId, now);
          return insertId;
        }
        const id = getInteger(known, 'id');
        const update = () => this.sql.write(UPDATE, [...about, time, time, id, token, owner]);
        if ((await retryContention(update)).changes > 0) return id;
      } catch (error) {
        if (classifySqlError(error) !== 'duplicate') throw error;
      }
      throw new RegistrationConflictError('The registration is being changed by others.');
    });
  }

  /**
   * Deletes the registrations that exceed a token's limit: those out of use, then the newest. The newest exceed it only when
   * several were inserted at once.
   *
   * @throws {TooManyIdentitiesError} when `own` was one of them
   */
  async #evictSurplusOfToken(token: Buffer, own: number, now: Date): Promise<void> {
    const rows = await this.sql.read(SELECT_BY_TOKEN, [token]);
    const inUse = rows.filter(isInUse(now));
    const idle = rows.filter((row) => !inUse.includes(row)).sort((a, b) => getUse(b) - getUse(a));
    const idleSurplus = idle.slice(Math.max(0, MAX_TOKEN_IDENTITIES - inUse.length)).map(toId);
    // Those that were registered again since the SELECT stay.
    const isStillIdle = ' AND (active = 0 OR COALESCE(last_used, updated_at) <= ?)';
    const idleSince = this.sql.toSqlTime(new Date(now.getTime() - IDLE_AFTER_MS));
    await this.#deleteOfToken(token, idleSurplus, isStillIdle, [idleSince]);
    const newest = inUse.slice(MAX_TOKEN_IDENTITIES).map(toId);
    await this.#deleteOfToken(token, newest);
    if (newest.includes(own)) throw new TooManyIdentitiesError(MAX_TOKEN_IDENTITIES);
  }

  async #deleteOfToken(token: Buffer, ids: readonly number[], condition = '', values: readonly SqlValue[] = []) {
    if (ids.length === 0) return;
    const sql = dynamic(`DELETE FROM ${TABLE} WHERE id ${inList(ids.length)} AND fcm_token = ?${condition}`);
    await retryContention(() => this.sql.write(sql, [...ids, token, ...values]));
  }

  /** Keeps rows that were given to another identity by an older version, registered again or used since the SELECT. */
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

/** Whether a registration is active, and was renewed or pushed to lately. */
function isInUse(now: Date): (row: SqlRow) => boolean {
  return (row) => getInteger(row, 'active') === 1 && now.getTime() - getUse(row) < IDLE_AFTER_MS;
}

function toId(row: SqlRow): number {
  return getInteger(row, 'id');
}

function getUse(row: SqlRow): number {
  return getDate(row, 'used').getTime();
}

/** The column holds what `register` has written. */
function parseWebPushKeys(json: string | undefined): WebPushKeys | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as WebPushKeys);
}

function toDevice(row: SqlRow): Device {
  return {
    id: getInteger(row, 'id'),
    identityKey: getName(row, 'identity_key'),
    fcmToken: getName(row, 'fcm_token'),
    deviceId: getOptionalText(row, 'device_id'),
    platform: getOptionalText(row, 'platform'),
    webPushKeys: parseWebPushKeys(getOptionalText(row, 'web_push_keys')),
    active: getInteger(row, 'active') === 1,
    createdAt: getDate(row, 'created_at'),
    updatedAt: getDate(row, 'updated_at'),
    lastUsed: getOptionalDate(row, 'last_used'),
  };
}
