import {
  AdvertisementRows,
  type AdvertisementStanding,
  type AdvertisementTable,
  decodeName,
  encodeName,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  varying,
} from '@messagebox/shared';
import type { Outpoint } from '@messagebox/wallet';
import type { ServiceAd } from '../topics/service-ad.js';

export interface ServiceAdQuery {
  /** Any of these topics or services. */
  readonly names?: readonly string[];
  readonly domain?: string;
  readonly identityKey?: string;
}

export type ServiceAdOutput = ServiceAd & Outpoint;

export interface FoundServiceAd extends ServiceAd, Outpoint {
  /** Whether its transaction is in a block, as far as we know. */
  readonly isProven: boolean;
}

const COLUMNS = 'id, txid, output_index, protocol, name, identity_key, domain, height, standing';
const TABLE: AdvertisementTable = { name: 'overlay_service_ads', about: ['protocol', 'name', 'domain'] };

/**
 * The unspent SHIP and SLAP advertisements that the overlay has admitted. Rejects with what the driver said.
 *
 * @param sql the database, or a transaction to take part in
 */
export class ServiceAds {
  readonly #rows: AdvertisementRows;

  constructor(private readonly sql: SqlRunner) {
    this.#rows = new AdvertisementRows(sql, TABLE);
  }

  /** Again does no harm. */
  async add(ad: ServiceAdOutput, createdAt: number, standing: AdvertisementStanding = {}): Promise<void> {
    await this.#rows.add(ad, ad.identityKey, aboutOf(ad), createdAt, standing);
  }

  async remove(outpoint: Outpoint): Promise<void> {
    await this.#rows.remove(outpoint);
  }

  /** See {@link AdvertisementRows.prove}. */
  async prove(txid: string, height: number): Promise<void> {
    await this.#rows.prove(txid, height);
  }

  /** See {@link AdvertisementRows.revoke}. */
  async revoke(ad: ServiceAd, spentBy: string): Promise<void> {
    await this.#rows.revoke(ad.identityKey, aboutOf(ad), spentBy);
  }

  /** See {@link AdvertisementRows.restore}. */
  async restore(spentBy: string): Promise<void> {
    await this.#rows.restore(spentBy);
  }

  /** See {@link AdvertisementRows.surplus}. */
  async surplus(ad: ServiceAd): Promise<readonly Outpoint[]> {
    return await this.#rows.surplus(ad.identityKey, aboutOf(ad));
  }

  /**
   * Those in a block first, and of one transaction the first before any second. Among those that are alike every other
   * one is the newest, and every other one the oldest, so that neither newcomers nor those who were there before can
   * take all places.
   */
  async find(protocol: ServiceAd['protocol'], query: ServiceAdQuery, limit: number): Promise<FoundServiceAd[]> {
    const { names, domain, identityKey } = query;
    if (names?.length === 0) return [];
    const conditions = ['protocol = ?', 'standing >= 0'];
    const values: SqlValue[] = [encodeName(protocol)];
    if (names !== undefined) {
      conditions.push(`name IN (${names.map(() => '?').join(', ')})`);
      values.push(...names.map(encodeName));
    }
    for (const [column, text] of Object.entries({ domain, identity_key: identityKey })) {
      if (text === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(encodeName(text));
    }
    const read = (order: 'ASC' | 'DESC') =>
      this.sql.read(
        varying(
          `SELECT ${COLUMNS} FROM overlay_service_ads WHERE ${conditions.join(' AND ')}
           ORDER BY standing DESC, id ${order} LIMIT ${Math.max(0, Math.trunc(limit))}`,
        ),
        values,
      );
    const newest = await read('DESC');
    // Whose advertisements they are, or for which host, says who asks: there is nobody to be kept out.
    const isNarrow = domain !== undefined || identityKey !== undefined;
    const oldest = isNarrow || newest.length < limit ? [] : await read('ASC');
    return inTurns(newest, oldest).slice(0, limit).map(toAd);
  }
}

/** Of two lists in the order of their standing, each row once: by standing, and of the same from either in turn. */
function inTurns(newest: readonly SqlRow[], oldest: readonly SqlRow[]): SqlRow[] {
  const byId = new Map<number, { row: SqlRow; turn: number }>();
  for (const list of [newest, oldest]) {
    for (const [turn, row] of list.entries()) {
      const known = byId.get(Number(row['id']));
      if (known === undefined || turn < known.turn) byId.set(Number(row['id']), { row, turn });
    }
  }
  return [...byId.values()]
    .sort((a, b) => Number(b.row['standing']) - Number(a.row['standing']) || a.turn - b.turn)
    .map(({ row }) => row);
}

function aboutOf({ protocol, name, domain }: ServiceAd): string[] {
  return [protocol, name, domain];
}

function toAd(row: SqlRow): FoundServiceAd {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    protocol: decodeName(row['protocol']) as ServiceAd['protocol'],
    name: decodeName(row['name']),
    identityKey: decodeName(row['identity_key']),
    domain: decodeName(row['domain']),
    isProven: Number(row['height']) >= 0,
  };
}
