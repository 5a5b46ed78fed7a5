import {
  classifySqlError,
  fromBinaryName,
  prepared,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  toBinaryName,
} from '@messagebox/store';
import { type Outpoint, toOutpointKey } from '@messagebox/transactions';
import type { HostAd, OwnedAd } from './ads.js';

/** A transaction of this server. It is recorded when it is signed, before it is sent anywhere. */
export interface OwnTransaction {
  readonly txid: string;
  /** Atomic BEEF (BRC-95). */
  readonly beef: Buffer;
  /** Its advertisements that no later transaction of this server has revoked. */
  readonly created: readonly OwnedAd[];
}

export interface SignedTransaction extends OwnTransaction {
  readonly revoked: readonly Outpoint[];
}

/** `made`: signed, not accepted yet. `refused`: the network will never accept it. */
export type OwnTransactionState = 'made' | 'accepted' | 'refused';

/**
 * The transactions and advertisements that this host has made. After an interruption a transaction is sent again, and
 * never made again.
 */
export class OwnTransactionStore {
  constructor(private readonly sql: SqlClient) {}

  /** Whether there is a live advertisement, an unaccepted transaction or an unsigned one. */
  async hasWork(): Promise<boolean> {
    return (await this.sql.read(HAS_WORK, [])).length > 0;
  }

  /** Lists the advertisements that were made and not revoked, oldest first. */
  async listLive(): Promise<OwnedAd[]> {
    return (await this.sql.read(LIVE, [])).map(toOwnedAd);
  }

  /** Lists the transactions that no tracker has accepted yet, oldest first. */
  async listUnaccepted(): Promise<OwnTransaction[]> {
    const found: OwnTransaction[] = [];
    for (const row of await this.sql.read(UNACCEPTED, [])) found.push(await this.#toOwnTransaction(row));
    return found;
  }

  async find(txid: string): Promise<OwnTransaction | undefined> {
    const [row] = await this.sql.read(FIND, [Buffer.from(txid, 'hex')]);
    return row === undefined ? undefined : await this.#toOwnTransaction(row);
  }

  async getState(txid: string): Promise<OwnTransactionState | undefined> {
    const [row] = await this.sql.read(STATE, [Buffer.from(txid, 'hex')]);
    return row === undefined ? undefined : (fromBinaryName(row['state']) as OwnTransactionState);
  }

  /**
   * Records a signed transaction, in one database transaction. Can be repeated. A transaction that was marked as refused,
   * but is in the wallet, becomes `made` and is sent again.
   */
  async record(made: SignedTransaction, now: Date): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const txid = Buffer.from(made.txid, 'hex');
        if ((await runner.read(STATE, [txid])).length === 0) {
          await runner.write(INSERT_TRANSACTION, [txid, made.beef, toBinaryName('made'), now.getTime()]);
        } else {
          await runner.write(UNREFUSE, [toBinaryName('made'), txid, toBinaryName('refused')]);
        }
        for (const held of made.created) await insertAd(runner, held, now);
        for (const { txid: of, outputIndex } of made.revoked) {
          await runner.write(REVOKE, [txid, Buffer.from(of, 'hex'), outputIndex]);
        }
        await runner.write(DELETE_SETTING, [UNSIGNED]);
      }),
    );
  }

  async markAccepted(txid: string, now: Date): Promise<void> {
    await this.sql.write(ACCEPTED, [toBinaryName('accepted'), now.getTime(), Buffer.from(txid, 'hex')]);
  }

  /** Marks a transaction as refused for ever, and undoes what it was to create and revoke. */
  async markRefused(txid: string, reason: string): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const key = Buffer.from(txid, 'hex');
        await runner.write(REFUSED, [toBinaryName('refused'), reason, key]);
        await runner.write(DELETE_ADS_OF, [key]);
        await runner.write(UNREVOKE_BY, [key]);
      }),
    );
  }

  /** Replaces the list of live advertisements by those that the wallet holds. */
  async replaceLive(held: readonly OwnedAd[], now: Date): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const there = new Set(held.map(toOutpointKey));
        const known = new Set<string>();
        for (const ad of (await runner.read(LIVE, [])).map(toOwnedAd)) {
          if (there.has(toOutpointKey(ad))) known.add(toOutpointKey(ad));
          else await runner.write(DELETE_AD, [Buffer.from(ad.txid, 'hex'), ad.outputIndex]);
        }
        for (const ad of held) if (!known.has(toOutpointKey(ad))) await insertAd(runner, ad, now);
      }),
    );
  }

  /** Saves the wallet's reference of a transaction that is being signed, to be aborted after an interruption. */
  async saveUnsigned(reference: string): Promise<void> {
    await retryContention(() => this.#setSetting(UNSIGNED, reference));
  }

  async getUnsigned(): Promise<string | undefined> {
    return this.#getSetting(UNSIGNED);
  }

  async deleteUnsigned(): Promise<void> {
    await this.sql.write(DELETE_SETTING, [UNSIGNED]);
  }

  /** The operator's last decision. Default: true. */
  async isAdvertisingWanted(): Promise<boolean> {
    return (await this.#getSetting(WANTED))?.endsWith(' false') !== true;
  }

  /**
   * Records the operator's decision unless there is a later one: the retry of a job must not undo a later decision.
   *
   * @param at the time of the decision
   */
  async recordDecision(wanted: boolean, at: Date): Promise<void> {
    const decision = `${String(at.getTime()).padStart(16, '0')} ${wanted}`;
    await retryContention(async () => {
      try {
        await this.sql.write(INSERT_SETTING, [WANTED, decision]);
      } catch (error) {
        if (classifySqlError(error) !== 'duplicate') throw error;
        // The times have the same length, so the texts sort by time.
        await this.sql.write(UPDATE_EARLIER_SETTING, [decision, WANTED, decision]);
      }
    });
  }

  async #toOwnTransaction(row: SqlRow): Promise<OwnTransaction> {
    const txid = row['txid'] as Buffer;
    const created = (await this.sql.read(LIVE_OF, [txid])).map(toOwnedAd);
    return { txid: txid.toString('hex'), beef: row['beef'] as Buffer, created };
  }

  async #getSetting(name: Buffer): Promise<string | undefined> {
    const [row] = await this.sql.read(GET_SETTING, [name]);
    return row === undefined ? undefined : String(row['value']);
  }

  async #setSetting(name: Buffer, value: string): Promise<void> {
    const { onConflictUpdate } = this.sql.dialect;
    await this.sql.write(prepared(`${INSERT_SETTING.text} ${onConflictUpdate('name')} value = ?`), [
      name,
      value,
      value,
    ]);
  }
}

async function insertAd(runner: SqlRunner, held: OwnedAd, now: Date): Promise<void> {
  const outpoint = [Buffer.from(held.txid, 'hex'), held.outputIndex] as const;
  if ((await runner.read(FIND_AD, outpoint)).length > 0) {
    await runner.write(UNREVOKE, outpoint);
    return;
  }
  const { protocol, name, domain } = held.ad;
  const names = [protocol, name, domain].map(toBinaryName);
  await runner.write(INSERT_AD, [...outpoint, ...names, now.getTime()]);
}

function toOwnedAd(row: SqlRow): OwnedAd {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    ad: {
      protocol: fromBinaryName(row['protocol']) as HostAd['protocol'],
      name: fromBinaryName(row['name']),
      domain: fromBinaryName(row['domain']),
    },
  };
}

const UNSIGNED = toBinaryName('unsigned action');
const WANTED = toBinaryName('advertising wanted');

const HAS_WORK = prepared(
  `SELECT 1 AS found FROM overlay_own_ads WHERE revoked_by IS NULL
   UNION ALL SELECT 1 FROM overlay_own_transactions WHERE state = X'6D616465'
   UNION ALL SELECT 1 FROM overlay_settings WHERE name = X'${UNSIGNED.toString('hex')}' LIMIT 1`,
);
const UNACCEPTED = prepared("SELECT txid, beef FROM overlay_own_transactions WHERE state = X'6D616465' ORDER BY id");
const FIND = prepared('SELECT txid, beef FROM overlay_own_transactions WHERE txid = ?');
const STATE = prepared('SELECT state FROM overlay_own_transactions WHERE txid = ?');
const INSERT_TRANSACTION = prepared(
  'INSERT INTO overlay_own_transactions (txid, beef, state, made_at) VALUES (?, ?, ?, ?)',
);
const UNREFUSE = prepared('UPDATE overlay_own_transactions SET state = ?, reason = NULL WHERE txid = ? AND state = ?');
const ACCEPTED = prepared('UPDATE overlay_own_transactions SET state = ?, accepted_at = ? WHERE txid = ?');
const REFUSED = prepared('UPDATE overlay_own_transactions SET state = ?, reason = ? WHERE txid = ?');
const AD = 'txid, output_index, protocol, name, domain';
const LIVE = prepared(`SELECT ${AD} FROM overlay_own_ads WHERE revoked_by IS NULL ORDER BY id`);
const LIVE_OF = prepared(
  `SELECT ${AD} FROM overlay_own_ads WHERE txid = ? AND revoked_by IS NULL ORDER BY output_index`,
);
const FIND_AD = prepared('SELECT 1 AS found FROM overlay_own_ads WHERE txid = ? AND output_index = ?');
const INSERT_AD = prepared(`INSERT INTO overlay_own_ads (${AD}, created_at) VALUES (?, ?, ?, ?, ?, ?)`);
const REVOKE = prepared('UPDATE overlay_own_ads SET revoked_by = ? WHERE txid = ? AND output_index = ?');
const UNREVOKE = prepared('UPDATE overlay_own_ads SET revoked_by = NULL WHERE txid = ? AND output_index = ?');
const UNREVOKE_BY = prepared('UPDATE overlay_own_ads SET revoked_by = NULL WHERE revoked_by = ?');
const DELETE_AD = prepared('DELETE FROM overlay_own_ads WHERE txid = ? AND output_index = ?');
const DELETE_ADS_OF = prepared('DELETE FROM overlay_own_ads WHERE txid = ?');
const GET_SETTING = prepared('SELECT value FROM overlay_settings WHERE name = ?');
const INSERT_SETTING = prepared('INSERT INTO overlay_settings (name, value) VALUES (?, ?)');
const UPDATE_EARLIER_SETTING = prepared('UPDATE overlay_settings SET value = ? WHERE name = ? AND value < ?');
const DELETE_SETTING = prepared('DELETE FROM overlay_settings WHERE name = ?');
