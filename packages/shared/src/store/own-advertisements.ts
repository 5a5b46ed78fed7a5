import { retryContention } from './retry-contention.js';
import { decodeName, fixed, type SqlClient } from './sql-client.js';
import { translateError } from './translate-error.js';

/** An advertisement of this host that was made and not taken back. */
export interface OwnAdvertisement {
  readonly protocol: string;
  /** Of the topic or the lookup service. */
  readonly name: string;
  readonly domain: string;
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
  readonly createdAt: Date;
}

/** A host has two for each of its origins; more than this many are no list to look at. */
const MOST = 1_000;
const LIVE = fixed(
  `SELECT protocol, name, domain, txid, output_index, created_at FROM overlay_own_ads
   WHERE revoked_by IS NULL ORDER BY id LIMIT ${MOST}`,
);

/** This host's own advertisements, as they stand in the database: table `overlay_own_ads`. */
export class OwnAdvertisements {
  constructor(private readonly sql: SqlClient) {}

  /**
   * Those that live, oldest first, up to 1,000.
   *
   * @throws {StoreUnavailableError}
   */
  async list(): Promise<OwnAdvertisement[]> {
    try {
      const rows = await retryContention(() => this.sql.read(LIVE, []));
      return rows.map((row) => ({
        protocol: decodeName(row['protocol']),
        name: decodeName(row['name']),
        domain: decodeName(row['domain']),
        txid: (row['txid'] as Buffer).toString('hex'),
        outputIndex: Number(row['output_index']),
        createdAt: new Date(Number(row['created_at'])),
      }));
    } catch (error) {
      throw translateError(error);
    }
  }
}
