import { getHex, getInteger, getName } from '../client/rows.js';
import { dynamic, type SqlRow, type SqlRunner, type SqlValue, toBinaryName } from '../client/sql-client.js';
import {
  type AdvertisementOutpoint,
  AdvertisementRows,
  type AdvertisementStanding,
  type AdvertisementTable,
} from './advertisement-rows.js';

/** An output of a transaction which says that an identity receives messages at a host. */
export interface MessageBoxAdvertisement {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** As advertised: a URL of at most 255 bytes. */
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** An advertisement as it was found in the database. */
export interface FoundMessageBoxAdvertisement extends MessageBoxAdvertisement {
  /** Whether its transaction is known to be in a block. */
  readonly isProven: boolean;
}

/** The advertisements to be found: of an identity, of a host, of both, or all. */
export interface MessageBoxAdvertisementQuery {
  readonly identityKey?: string;
  readonly host?: string;
}

const COLUMNS = 'txid, output_index, identity_key, host, created_at, height';
const TABLE: AdvertisementTable = { name: 'overlay_message_box_ads', statementColumns: ['host'] };
/** Most advertisements of one identity that are read for its list of hosts. */
const MAX_HOSTS = 20;
/** Rows read for each wanted result, so that copies of one advertisement don't hide the others. */
const ROWS_PER_RESULT = 10;

/**
 * The unspent message box advertisements that the overlay has admitted. Rejects with the driver's errors.
 *
 * @param sql the database, or a transaction in which to run
 */
export class MessageBoxAdvertisements {
  readonly #rows: AdvertisementRows;

  constructor(private readonly sql: SqlRunner) {
    this.#rows = new AdvertisementRows(sql, TABLE);
  }

  /** Adds an advertisement. Idempotent. */
  async add(
    { txid, outputIndex, identityKey, host, createdAt }: MessageBoxAdvertisement,
    standing: AdvertisementStanding = {},
  ): Promise<void> {
    await this.#rows.add({ txid, outputIndex }, identityKey, [host], createdAt, standing);
  }

  /** Removes an advertisement if it exists. */
  async remove(txid: string, outputIndex: number): Promise<void> {
    await this.#rows.remove({ txid, outputIndex });
  }

  /** See {@link AdvertisementRows.markProven}. */
  async markProven(txid: string, height: number): Promise<void> {
    await this.#rows.markProven(txid, height);
  }

  /** See {@link AdvertisementRows.revoke}. */
  async revoke(identityKey: string, host: string, spentBy: string): Promise<void> {
    await this.#rows.revoke(identityKey, [host], spentBy);
  }

  /** See {@link AdvertisementRows.removeRevocation}. */
  async removeRevocation(spentBy: string): Promise<void> {
    await this.#rows.removeRevocation(spentBy);
  }

  /** See {@link AdvertisementRows.findSurplus}. */
  async findSurplus(identityKey: string, host: string): Promise<AdvertisementOutpoint[]> {
    return await this.#rows.findSurplus(identityKey, [host]);
  }

  /**
   * Finds advertisements. Those in a block come first. For one identity they are sorted by block height, then by the time
   * since when they are known, the latest first. Copies come last; they are listed so that they can be revoked.
   */
  async find(query: MessageBoxAdvertisementQuery, limit: number): Promise<FoundMessageBoxAdvertisement[]> {
    const { identityKey, host } = query;
    const maxResults = Math.max(0, Math.trunc(limit));
    // `standing + 0`: the result of one identity has another order, so the indexes on `standing` must not be chosen.
    const conditions = [identityKey === undefined ? 'standing >= 0' : 'standing + 0 >= 0'];
    const values: SqlValue[] = [];
    for (const [column, text] of Object.entries({ identity_key: identityKey, host })) {
      if (text === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(toBinaryName(text));
    }
    // Each of the four kinds of queries has an index in its order, so the size of the table doesn't matter.
    const order = identityKey === undefined ? 'standing DESC, id DESC' : 'height DESC, ranked_at DESC, id DESC';
    const rows = await this.sql.read(
      dynamic(
        `SELECT ${COLUMNS} FROM overlay_message_box_ads WHERE ${conditions.join(' AND ')}
         ORDER BY ${order} LIMIT ${maxResults * ROWS_PER_RESULT}`,
      ),
      values,
    );
    return moveCopiesToEnd(rows.map(toAdvertisement)).slice(0, maxResults);
  }

  /** The hosts at which an identity receives messages, in the order of {@link find}. */
  async listHosts(identityKey: string): Promise<string[]> {
    const found = await this.find({ identityKey }, MAX_HOSTS);
    return [...new Set(found.map(({ host }) => host))];
  }
}

function moveCopiesToEnd(found: readonly FoundMessageBoxAdvertisement[]): FoundMessageBoxAdvertisement[] {
  const seen = new Set<string>();
  const copies: FoundMessageBoxAdvertisement[] = [];
  const firsts = found.filter((ad) => {
    const key = `${ad.identityKey} ${ad.host}`;
    if (!seen.has(key)) return seen.add(key);
    copies.push(ad);
    return false;
  });
  return [...firsts, ...copies];
}

function toAdvertisement(row: SqlRow): FoundMessageBoxAdvertisement {
  return {
    txid: getHex(row, 'txid'),
    outputIndex: getInteger(row, 'output_index'),
    identityKey: getName(row, 'identity_key'),
    host: getName(row, 'host'),
    createdAt: getInteger(row, 'created_at'),
    isProven: getInteger(row, 'height') >= 0,
  };
}
