import {
  type AdvertisedIn,
  AdvertisementRows,
  type AdvertisementStanding,
  type AdvertisementTable,
} from './advertisement-rows.js';
import { decodeName, encodeName, type SqlRow, type SqlRunner, type SqlValue, varying } from './sql-client.js';

/** "This identity takes messages at this host", said in an output of a transaction. */
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

export interface FoundMessageBoxAdvertisement extends MessageBoxAdvertisement {
  /** Whether its transaction is in a block, as far as we know. */
  readonly isProven: boolean;
}

export interface MessageBoxAdvertisementQuery {
  readonly identityKey?: string;
  readonly host?: string;
}

const COLUMNS = 'txid, output_index, identity_key, host, created_at, height';
const TABLE: AdvertisementTable = { name: 'overlay_message_box_ads', about: ['host'] };
/** An identity with more advertisements than this has hosts that nobody is told of. */
const MOST_HOSTS = 20;
/** Rows looked at for each that is wanted, so that copies of one advertisement hide no other. */
const COPIES_LOOKED_AT = 10;

/**
 * The unspent message box advertisements that the overlay has admitted. Rejects with what the driver said.
 *
 * @param sql the database, or a transaction to take part in
 */
export class MessageBoxAdvertisements {
  readonly #rows: AdvertisementRows;

  constructor(private readonly sql: SqlRunner) {
    this.#rows = new AdvertisementRows(sql, TABLE);
  }

  /** Again does no harm. */
  async add(
    { txid, outputIndex, identityKey, host, createdAt }: MessageBoxAdvertisement,
    standing: AdvertisementStanding = {},
  ): Promise<void> {
    await this.#rows.add({ txid, outputIndex }, identityKey, [host], createdAt, standing);
  }

  /** One that isn't there is no error. */
  async remove(txid: string, outputIndex: number): Promise<void> {
    await this.#rows.remove({ txid, outputIndex });
  }

  /** See {@link AdvertisementRows.prove}. */
  async prove(txid: string, height: number): Promise<void> {
    await this.#rows.prove(txid, height);
  }

  /** See {@link AdvertisementRows.revoke}. */
  async revoke(identityKey: string, host: string, spentBy: string): Promise<void> {
    await this.#rows.revoke(identityKey, [host], spentBy);
  }

  /** See {@link AdvertisementRows.restore}. */
  async restore(spentBy: string): Promise<void> {
    await this.#rows.restore(spentBy);
  }

  /** See {@link AdvertisementRows.surplus}. */
  async surplus(identityKey: string, host: string): Promise<AdvertisedIn[]> {
    return await this.#rows.surplus(identityKey, [host]);
  }

  /**
   * Those in a block first. Of one identity the latest block's are the first, and behind them what has been known for the
   * shortest time; copies of what stands before come last, which are there to be revoked.
   */
  async find(query: MessageBoxAdvertisementQuery, limit: number): Promise<FoundMessageBoxAdvertisement[]> {
    const { identityKey, host } = query;
    const most = Math.max(0, Math.trunc(limit));
    // Of one identity in another order than that of `standing`, whose indexes must not look fit for it.
    const conditions = [identityKey === undefined ? 'standing >= 0' : 'standing + 0 >= 0'];
    const values: SqlValue[] = [];
    for (const [column, text] of Object.entries({ identity_key: identityKey, host })) {
      if (text === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(encodeName(text));
    }
    // Each of the four has an index in its order, whatever the size of the table.
    const order = identityKey === undefined ? 'standing DESC, id DESC' : 'height DESC, ranked_at DESC, id DESC';
    const rows = await this.sql.read(
      varying(
        `SELECT ${COLUMNS} FROM overlay_message_box_ads WHERE ${conditions.join(' AND ')}
         ORDER BY ${order} LIMIT ${most * COPIES_LOOKED_AT}`,
      ),
      values,
    );
    return copiesLast(rows.map(toAdvertisement)).slice(0, most);
  }

  /** The hosts where an identity takes messages, in the order of {@link find}. */
  async hostsOf(identityKey: string): Promise<string[]> {
    const found = await this.find({ identityKey }, MOST_HOSTS);
    return [...new Set(found.map(({ host }) => host))];
  }
}

function copiesLast(found: readonly FoundMessageBoxAdvertisement[]): FoundMessageBoxAdvertisement[] {
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
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    identityKey: decodeName(row['identity_key']),
    host: decodeName(row['host']),
    createdAt: Number(row['created_at']),
    isProven: Number(row['height']) >= 0,
  };
}
