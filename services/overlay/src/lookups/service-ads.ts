import {
  decodeName,
  encodeName,
  fixed,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  sqlErrorKind,
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

export type FoundServiceAd = ServiceAd & Outpoint;

const COLUMNS = 'txid, output_index, protocol, name, identity_key, domain';
const INSERT = fixed(`INSERT INTO overlay_service_ads (${COLUMNS}, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`);
const REMOVE = fixed('DELETE FROM overlay_service_ads WHERE txid = ? AND output_index = ?');

/**
 * The unspent SHIP and SLAP advertisements that the overlay has admitted. Rejects with what the driver said.
 *
 * @param sql the database, or a transaction to take part in
 */
export class ServiceAds {
  constructor(private readonly sql: SqlRunner) {}

  /** Again does no harm. */
  async add(ad: FoundServiceAd, createdAt: number): Promise<void> {
    const { txid, outputIndex, protocol, name, identityKey, domain } = ad;
    const texts = [protocol, name, identityKey, domain].map(encodeName);
    try {
      await this.sql.write(INSERT, [Buffer.from(txid, 'hex'), outputIndex, ...texts, createdAt]);
    } catch (error) {
      if (sqlErrorKind(error) !== 'duplicate') throw error;
    }
  }

  async remove({ txid, outputIndex }: Outpoint): Promise<void> {
    await this.sql.write(REMOVE, [Buffer.from(txid, 'hex'), outputIndex]);
  }

  /** Newest first. */
  async find(protocol: ServiceAd['protocol'], query: ServiceAdQuery, limit: number): Promise<FoundServiceAd[]> {
    const { names, domain, identityKey } = query;
    const conditions = ['protocol = ?'];
    const values: SqlValue[] = [encodeName(protocol)];
    if (names !== undefined) {
      if (names.length === 0) return [];
      conditions.push(`name IN (${names.map(() => '?').join(', ')})`);
      values.push(...names.map(encodeName));
    }
    if (domain !== undefined) {
      conditions.push('domain = ?');
      values.push(encodeName(domain));
    }
    if (identityKey !== undefined) {
      conditions.push('identity_key = ?');
      values.push(encodeName(identityKey));
    }
    const rows = await this.sql.read(
      varying(
        `SELECT ${COLUMNS} FROM overlay_service_ads WHERE ${conditions.join(' AND ')}
         ORDER BY created_at DESC, id DESC LIMIT ${Math.max(0, Math.trunc(limit))}`,
      ),
      values,
    );
    return rows.map(toAd);
  }
}

function toAd(row: SqlRow): FoundServiceAd {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    protocol: decodeName(row['protocol']) as ServiceAd['protocol'],
    name: decodeName(row['name']),
    identityKey: decodeName(row['identity_key']),
    domain: decodeName(row['domain']),
  };
}
