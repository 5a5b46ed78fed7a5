import { retryContention } from '../client/retry-contention.js';
import { getHex, getInteger, getName } from '../client/rows.js';
import { prepared, type SqlClient } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';

/** An advertisement that this host has made and not revoked. */
export interface OwnAdvertisement {
  readonly protocol: string;
  /** The name of the topic or the lookup service. */
  readonly name: string;
  readonly domain: string;
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
  readonly createdAt: Date;
}

/** A host has two advertisements for each of its origins, so a longer list would not be of use. */
const MAX_LISTED = 1_000;
const SELECT_LIVE = prepared(
  `SELECT protocol, name, domain, txid, output_index, created_at FROM overlay_own_ads
   WHERE revoked_by IS NULL ORDER BY id LIMIT ${MAX_LISTED}`,
);

/** Reads this host's own advertisements from the table `overlay_own_ads`. */
export class OwnAdvertisements {
  constructor(private readonly sql: SqlClient) {}

  /**
   * The advertisements that are not revoked, oldest first, at most 1,000.
   *
   * @throws {StoreUnavailableError}
   */
  list(): Promise<OwnAdvertisement[]> {
    return withStoreErrors(async () => {
      const rows = await retryContention(() => this.sql.read(SELECT_LIVE, []));
      return rows.map((row) => ({
        protocol: getName(row, 'protocol'),
        name: getName(row, 'name'),
        domain: getName(row, 'domain'),
        txid: getHex(row, 'txid'),
        outputIndex: getInteger(row, 'output_index'),
        createdAt: new Date(getInteger(row, 'created_at')),
      }));
    });
  }
}
