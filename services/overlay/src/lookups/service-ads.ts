import {
  AdvertisementRows,
  type AdvertisementStanding,
  type AdvertisementTable,
  dynamic,
  fromBinaryName,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  toBinaryName,
} from '@messagebox/store';
import type { Outpoint } from '@messagebox/transactions';
import type { ServiceAd, ServiceAdOutput } from '../topics/service-ad.js';

export interface ServiceAdQuery {
  /** Topics or services. An advertisement for any of them is found. */
  readonly names?: readonly string[];
  readonly domain?: string;
  readonly identityKey?: string;
}

export interface FoundServiceAd extends ServiceAd, Outpoint {
  /** Whether its transaction is known to be in a block. */
  readonly isProven: boolean;
}

const COLUMNS = 'id, txid, output_index, protocol, name, identity_key, domain, height, standing';
const TABLE: AdvertisementTable = { name: 'overlay_service_ads', statementColumns: ['protocol', 'name', 'domain'] };

/**
 * The unspent SHIP and SLAP advertisements that the overlay has admitted. Its methods reject with the driver's errors.
 *
 * @param sql the database, or a transaction to take part in
 */
export class ServiceAds {
  readonly #rows: AdvertisementRows;

  constructor(private readonly sql: SqlRunner) {
    this.#rows = new AdvertisementRows(sql, TABLE);
  }

  /** Can be repeated. */
  async add(ad: ServiceAdOutput, createdAt: number, standing: AdvertisementStanding = {}): Promise<void> {
    await this.#rows.add(ad, ad.identityKey, toStatement(ad), createdAt, standing);
  }

  async remove(outpoint: Outpoint): Promise<void> {
    await this.#rows.remove(outpoint);
  }

  /** See {@link AdvertisementRows.markProven}. */
  async markProven(txid: string, height: number): Promise<void> {
    await this.#rows.markProven(txid, height);
  }

  /** See {@link AdvertisementRows.revoke}. */
  async revoke(ad: ServiceAd, spentBy: string): Promise<void> {
    await this.#rows.revoke(ad.identityKey, toStatement(ad), spentBy);
  }

  /** See {@link AdvertisementRows.removeRevocation}. */
  async removeRevocation(spentBy: string): Promise<void> {
    await this.#rows.removeRevocation(spentBy);
  }

  /** See {@link AdvertisementRows.findSurplus}. */
  async findSurplus(ad: ServiceAd): Promise<readonly Outpoint[]> {
    return await this.#rows.findSurplus(ad.identityKey, toStatement(ad));
  }

  /**
   * Finds advertisements. Those in a block come first, and the first of each transaction comes before any second one.
   * Among equals the newest and the oldest alternate, so that neither new nor old ones can take all places.
   */
  async find(protocol: ServiceAd['protocol'], query: ServiceAdQuery, limit: number): Promise<FoundServiceAd[]> {
    const { names, domain, identityKey } = query;
    if (names?.length === 0) return [];
    const conditions = ['protocol = ?', 'standing >= 0'];
    const values: SqlValue[] = [toBinaryName(protocol)];
    if (names !== undefined) {
      conditions.push(`name IN (${names.map(() => '?').join(', ')})`);
      values.push(...names.map(toBinaryName));
    }
    for (const [column, text] of Object.entries({ domain, identity_key: identityKey })) {
      if (text === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(toBinaryName(text));
    }
    const read = (order: 'ASC' | 'DESC') =>
      this.sql.read(
        dynamic(
          `SELECT ${COLUMNS} FROM overlay_service_ads WHERE ${conditions.join(' AND ')}
           ORDER BY standing DESC, id ${order} LIMIT ${Math.max(0, Math.trunc(limit))}`,
        ),
        values,
      );
    const newest = await read('DESC');
    // A query for one identity or host needs no alternation: its results don't compete with those of others.
    const isNarrow = domain !== undefined || identityKey !== undefined;
    const oldest = isNarrow || newest.length < limit ? [] : await read('ASC');
    return interleaveByAge(newest, oldest).slice(0, limit).map(toFoundServiceAd);
  }
}

/** Merges two lists that are sorted by standing. Each row is there once; rows of the same standing alternate. */
function interleaveByAge(newest: readonly SqlRow[], oldest: readonly SqlRow[]): SqlRow[] {
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

function toStatement({ protocol, name, domain }: ServiceAd): string[] {
  return [protocol, name, domain];
}

function toFoundServiceAd(row: SqlRow): FoundServiceAd {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    protocol: fromBinaryName(row['protocol']) as ServiceAd['protocol'],
    name: fromBinaryName(row['name']),
    identityKey: fromBinaryName(row['identity_key']),
    domain: fromBinaryName(row['domain']),
    isProven: Number(row['height']) >= 0,
  };
}
