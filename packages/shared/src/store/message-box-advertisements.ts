import { decodeName, encodeName, fixed, type SqlRow, type SqlRunner, type SqlValue, varying } from './sql-client.js';
import { sqlErrorKind } from './translate-error.js';

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

export interface MessageBoxAdvertisementQuery {
  readonly identityKey?: string;
  readonly host?: string;
}

const COLUMNS = 'txid, output_index, identity_key, host, created_at';
const INSERT = fixed(`INSERT INTO overlay_message_box_ads (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`);
const REMOVE = fixed('DELETE FROM overlay_message_box_ads WHERE txid = ? AND output_index = ?');
const COUNT_OF = fixed('SELECT COUNT(*) AS n FROM overlay_message_box_ads WHERE identity_key = ?');
const SURPLUS = `SELECT a.txid, a.output_index FROM overlay_message_box_ads a
  LEFT JOIN overlay_applied p ON p.txid = a.txid AND p.topic = X'${encodeName('tm_messagebox').toString('hex')}'
  WHERE a.identity_key = ? AND a.txid <> ? ORDER BY p.proven, a.created_at, a.id`;
/** An identity with more advertisements than this has hosts that nobody is told of. */
const MOST_HOSTS = 20;

/**
 * The unspent message box advertisements that the overlay has admitted. Rejects with what the driver said.
 *
 * @param sql the database, or a transaction to take part in
 */
export class MessageBoxAdvertisements {
  constructor(private readonly sql: SqlRunner) {}

  /** Again does no harm. */
  async add({ txid, outputIndex, identityKey, host, createdAt }: MessageBoxAdvertisement): Promise<void> {
    const values = [Buffer.from(txid, 'hex'), outputIndex, encodeName(identityKey), encodeName(host), createdAt];
    try {
      await this.sql.write(INSERT, values);
    } catch (error) {
      if (sqlErrorKind(error) !== 'duplicate') throw error;
    }
  }

  /** One that isn't there is no error. */
  async remove(txid: string, outputIndex: number): Promise<void> {
    await this.sql.write(REMOVE, [Buffer.from(txid, 'hex'), outputIndex]);
  }

  /** Newest first. */
  async find(query: MessageBoxAdvertisementQuery, limit: number): Promise<MessageBoxAdvertisement[]> {
    const { identityKey, host } = query;
    const conditions: string[] = [];
    const values: SqlValue[] = [];
    for (const [column, text] of Object.entries({ identity_key: identityKey, host })) {
      if (text === undefined) continue;
      conditions.push(`${column} = ?`);
      values.push(encodeName(text));
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    // Each of the four has an index that yields the newest first, whatever the size of the table.
    const rows = await this.sql.read(
      varying(
        `SELECT ${COLUMNS} FROM overlay_message_box_ads ${where}
         ORDER BY created_at DESC, id DESC LIMIT ${Math.max(0, Math.trunc(limit))}`,
      ),
      values,
    );
    return rows.map(toAdvertisement);
  }

  /**
   * Those of an identity that are too many, the oldest first, and before all others those whose transaction is in no
   * block as far as we know.
   *
   * @param keep the transaction whose advertisements stay
   */
  async surplus(identityKey: string, keep: string, most: number): Promise<{ txid: string; outputIndex: number }[]> {
    const owner = encodeName(identityKey);
    const [row] = await this.sql.read(COUNT_OF, [owner]);
    const surplus = Number(row?.['n']) - most;
    if (surplus <= 0) return [];
    const rows = await this.sql.read(varying(`${SURPLUS} LIMIT ${surplus}`), [owner, Buffer.from(keep, 'hex')]);
    return rows.map((found) => ({
      txid: (found['txid'] as Buffer).toString('hex'),
      outputIndex: Number(found['output_index']),
    }));
  }

  /** The hosts where an identity takes messages, the one advertised last first. */
  async hostsOf(identityKey: string): Promise<string[]> {
    const found = await this.find({ identityKey }, MOST_HOSTS);
    return [...new Set(found.map(({ host }) => host))];
  }
}

function toAdvertisement(row: SqlRow): MessageBoxAdvertisement {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    identityKey: decodeName(row['identity_key']),
    host: decodeName(row['host']),
    createdAt: Number(row['created_at']),
  };
}
