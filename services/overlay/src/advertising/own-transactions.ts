import { encodeName, fixed, retryContention, type SqlClient, type SqlRunner } from '@messagebox/shared';
import { type HeldAd, type Outpoint, outpointOf } from './ads.js';

/** A transaction of ours: written down when it is signed, before anybody is told of it. */
export interface OwnTransaction {
  readonly txid: string;
  /** Atomic BEEF (BRC-95). */
  readonly beef: Buffer;
}

export interface MadeTransaction extends OwnTransaction {
  readonly created: readonly HeldAd[];
  readonly revoked: readonly Outpoint[];
}

/**
 * The memory of what this host has made, so that after an interruption a transaction is sent again and never made
 * again. States: `made` (signed, not accepted yet), `accepted`, `refused` (the network will never take it).
 */
export class OwnTransactions {
  constructor(private readonly sql: SqlClient) {}

  /** Whether there is anything to look after: a live advertisement, a transaction on its way, an unsigned one. */
  async anything(): Promise<boolean> {
    return (await this.sql.read(ANYTHING, [])).length > 0;
  }

  /** Transactions that no tracker has accepted yet, oldest first. */
  async unaccepted(): Promise<OwnTransaction[]> {
    const rows = await this.sql.read(UNACCEPTED, []);
    return rows.map((row) => ({
      txid: (row['txid'] as Buffer).toString('hex'),
      beef: row['beef'] as Buffer,
    }));
  }

  async find(txid: string): Promise<OwnTransaction | undefined> {
    const [row] = await this.sql.read(FIND, [Buffer.from(txid, 'hex')]);
    return row === undefined ? undefined : { txid, beef: row['beef'] as Buffer };
  }

  /** Written in one transaction; a second time changes nothing. */
  async record(made: MadeTransaction, now: Date): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const txid = Buffer.from(made.txid, 'hex');
        if ((await runner.read(FIND, [txid])).length === 0) {
          await runner.write(INSERT_TRANSACTION, [txid, made.beef, encodeName('made'), now.getTime()]);
        }
        for (const held of made.created) await insertAd(runner, held, now);
        for (const { txid: of, outputIndex } of made.revoked) {
          await runner.write(REVOKE, [txid, Buffer.from(of, 'hex'), outputIndex]);
        }
        await runner.write(FORGET_SETTING, [UNSIGNED]);
      }),
    );
  }

  async accepted(txid: string, now: Date): Promise<void> {
    await this.sql.write(ACCEPTED, [encodeName('accepted'), now.getTime(), Buffer.from(txid, 'hex')]);
  }

  /** The network will never take it: what it was to create isn't there, what it was to revoke still is. */
  async refused(txid: string, reason: string): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const key = Buffer.from(txid, 'hex');
        await runner.write(REFUSED, [encodeName('refused'), reason, key]);
        await runner.write(FORGET_ADS_OF, [key]);
        await runner.write(UNREVOKE, [key]);
      }),
    );
  }

  /** Makes the list of live advertisements what the wallet holds. */
  async mirror(held: readonly HeldAd[], now: Date): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const there = new Set(held.map(outpointOf));
        for (const row of await runner.read(LIVE, [])) {
          const [txid, outputIndex] = [row['txid'] as Buffer, Number(row['output_index'])];
          if (!there.has(`${txid.toString('hex')}.${outputIndex}`)) await runner.write(FORGET_AD, [txid, outputIndex]);
        }
        for (const ad of held) await insertAd(runner, ad, now);
      }),
    );
  }

  /** The wallet's reference of a transaction that is being signed; after an interruption it is aborted. */
  async rememberUnsigned(reference: string): Promise<void> {
    await this.#set(UNSIGNED, reference);
  }

  async unsigned(): Promise<string | undefined> {
    return this.#get(UNSIGNED);
  }

  async forgetUnsigned(): Promise<void> {
    await this.sql.write(FORGET_SETTING, [UNSIGNED]);
  }

  /** What the operator asked for last; true until somebody has revoked. */
  async advertisingWanted(): Promise<boolean> {
    return (await this.#get(WANTED)) !== 'false';
  }

  async setAdvertisingWanted(wanted: boolean): Promise<void> {
    await this.#set(WANTED, String(wanted));
  }

  async #get(name: Buffer): Promise<string | undefined> {
    const [row] = await this.sql.read(GET_SETTING, [name]);
    return row === undefined ? undefined : String(row['value']);
  }

  async #set(name: Buffer, value: string): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const there = await runner.read(GET_SETTING, [name]);
        await (there.length > 0
          ? runner.write(UPDATE_SETTING, [value, name])
          : runner.write(INSERT_SETTING, [name, value]));
      }),
    );
  }
}

async function insertAd(runner: SqlRunner, held: HeldAd, now: Date): Promise<void> {
  const outpoint = [Buffer.from(held.txid, 'hex'), held.outputIndex] as const;
  if ((await runner.read(FIND_AD, outpoint)).length > 0) return;
  const { protocol, name, domain } = held.ad;
  const names = [protocol, name, domain].map(encodeName);
  await runner.write(INSERT_AD, [...outpoint, ...names, now.getTime()]);
}

const UNSIGNED = encodeName('unsigned action');
const WANTED = encodeName('advertising wanted');

const ANYTHING = fixed(
  `SELECT 1 AS found FROM overlay_own_ads WHERE revoked_by IS NULL
   UNION ALL SELECT 1 FROM overlay_own_transactions WHERE state = X'6D616465'
   UNION ALL SELECT 1 FROM overlay_settings WHERE name = X'${UNSIGNED.toString('hex')}' LIMIT 1`,
);
const UNACCEPTED = fixed("SELECT txid, beef FROM overlay_own_transactions WHERE state = X'6D616465' ORDER BY id");
const FIND = fixed('SELECT beef FROM overlay_own_transactions WHERE txid = ?');
const INSERT_TRANSACTION = fixed(
  'INSERT INTO overlay_own_transactions (txid, beef, state, made_at) VALUES (?, ?, ?, ?)',
);
const ACCEPTED = fixed('UPDATE overlay_own_transactions SET state = ?, accepted_at = ? WHERE txid = ?');
const REFUSED = fixed('UPDATE overlay_own_transactions SET state = ?, reason = ? WHERE txid = ?');
const LIVE = fixed('SELECT txid, output_index FROM overlay_own_ads WHERE revoked_by IS NULL');
const FIND_AD = fixed('SELECT 1 AS found FROM overlay_own_ads WHERE txid = ? AND output_index = ?');
const INSERT_AD = fixed(
  'INSERT INTO overlay_own_ads (txid, output_index, protocol, name, domain, created_at) VALUES (?, ?, ?, ?, ?, ?)',
);
const REVOKE = fixed('UPDATE overlay_own_ads SET revoked_by = ? WHERE txid = ? AND output_index = ?');
const UNREVOKE = fixed('UPDATE overlay_own_ads SET revoked_by = NULL WHERE revoked_by = ?');
const FORGET_AD = fixed('DELETE FROM overlay_own_ads WHERE txid = ? AND output_index = ?');
const FORGET_ADS_OF = fixed('DELETE FROM overlay_own_ads WHERE txid = ?');
const GET_SETTING = fixed('SELECT value FROM overlay_settings WHERE name = ?');
const INSERT_SETTING = fixed('INSERT INTO overlay_settings (name, value) VALUES (?, ?)');
const UPDATE_SETTING = fixed('UPDATE overlay_settings SET value = ? WHERE name = ?');
const FORGET_SETTING = fixed('DELETE FROM overlay_settings WHERE name = ?');
