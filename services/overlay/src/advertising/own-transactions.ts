import {
  decodeName,
  encodeName,
  fixed,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  sqlErrorKind,
} from '@messagebox/shared';
import { type Outpoint, outpointKey } from '@messagebox/wallet';
import type { HeldAd, HostAd } from './ads.js';

/** A transaction of ours: written down when it is signed, before anybody is told of it. */
export interface OwnTransaction {
  readonly txid: string;
  /** Atomic BEEF (BRC-95). */
  readonly beef: Buffer;
  /** Those of its advertisements that no later transaction of ours has revoked. */
  readonly created: readonly HeldAd[];
}

export interface MadeTransaction extends OwnTransaction {
  readonly revoked: readonly Outpoint[];
}

/** `made`: signed, not accepted yet. `refused`: the network will never take it. */
export type OwnState = 'made' | 'accepted' | 'refused';

/**
 * The memory of what this host has made, so that after an interruption a transaction is sent again and never made
 * again.
 */
export class OwnTransactions {
  constructor(private readonly sql: SqlClient) {}

  /** Whether there is anything to look after: a live advertisement, a transaction on its way, an unsigned one. */
  async anything(): Promise<boolean> {
    return (await this.sql.read(ANYTHING, [])).length > 0;
  }

  /** Advertisements that were made and not revoked, oldest first. */
  async live(): Promise<HeldAd[]> {
    return (await this.sql.read(LIVE, [])).map(toHeldAd);
  }

  /** Transactions that no tracker has accepted yet, oldest first. */
  async unaccepted(): Promise<OwnTransaction[]> {
    const found: OwnTransaction[] = [];
    for (const row of await this.sql.read(UNACCEPTED, [])) found.push(await this.#withAds(row));
    return found;
  }

  async find(txid: string): Promise<OwnTransaction | undefined> {
    const [row] = await this.sql.read(FIND, [Buffer.from(txid, 'hex')]);
    return row === undefined ? undefined : await this.#withAds(row);
  }

  async state(txid: string): Promise<OwnState | undefined> {
    const [row] = await this.sql.read(STATE, [Buffer.from(txid, 'hex')]);
    return row === undefined ? undefined : (decodeName(row['state']) as OwnState);
  }

  /**
   * Written in one transaction; a second time changes nothing. One that was taken for refused, and yet is there, is to
   * be sent again.
   */
  async record(made: MadeTransaction, now: Date): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const txid = Buffer.from(made.txid, 'hex');
        if ((await runner.read(STATE, [txid])).length === 0) {
          await runner.write(INSERT_TRANSACTION, [txid, made.beef, encodeName('made'), now.getTime()]);
        } else {
          await runner.write(UNREFUSE, [encodeName('made'), txid, encodeName('refused')]);
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
        await runner.write(UNREVOKE_BY, [key]);
      }),
    );
  }

  /** Makes the list of live advertisements what the wallet holds. */
  async mirror(held: readonly HeldAd[], now: Date): Promise<void> {
    await retryContention(() =>
      this.sql.transaction(async (runner) => {
        const there = new Set(held.map(outpointKey));
        const known = new Set<string>();
        for (const ad of (await runner.read(LIVE, [])).map(toHeldAd)) {
          if (there.has(outpointKey(ad))) known.add(outpointKey(ad));
          else await runner.write(FORGET_AD, [Buffer.from(ad.txid, 'hex'), ad.outputIndex]);
        }
        for (const ad of held) if (!known.has(outpointKey(ad))) await insertAd(runner, ad, now);
      }),
    );
  }

  /** The wallet's reference of a transaction that is being signed; after an interruption it is aborted. */
  async rememberUnsigned(reference: string): Promise<void> {
    await retryContention(() => this.#set(UNSIGNED, reference));
  }

  async unsigned(): Promise<string | undefined> {
    return this.#get(UNSIGNED);
  }

  async forgetUnsigned(): Promise<void> {
    await this.sql.write(FORGET_SETTING, [UNSIGNED]);
  }

  /** What the operator asked for last; true until somebody has revoked. */
  async advertisingWanted(): Promise<boolean> {
    return (await this.#get(WANTED))?.endsWith(' false') !== true;
  }

  /**
   * The operator's decision, unless there is a later one: a job that is tried again must not undo what was decided since.
   *
   * @param at when it was asked for
   */
  async decide(wanted: boolean, at: Date): Promise<void> {
    const decision = `${String(at.getTime()).padStart(16, '0')} ${wanted}`;
    await retryContention(async () => {
      try {
        await this.sql.write(INSERT_SETTING, [WANTED, decision]);
      } catch (error) {
        if (sqlErrorKind(error) !== 'duplicate') throw error;
        // The times are of one length, so that texts compare like them.
        await this.sql.write(UPDATE_EARLIER_SETTING, [decision, WANTED, decision]);
      }
    });
  }

  async #withAds(row: SqlRow): Promise<OwnTransaction> {
    const txid = row['txid'] as Buffer;
    const created = (await this.sql.read(LIVE_OF, [txid])).map(toHeldAd);
    return { txid: txid.toString('hex'), beef: row['beef'] as Buffer, created };
  }

  async #get(name: Buffer): Promise<string | undefined> {
    const [row] = await this.sql.read(GET_SETTING, [name]);
    return row === undefined ? undefined : String(row['value']);
  }

  async #set(name: Buffer, value: string): Promise<void> {
    const { onConflictUpdate } = this.sql.phrases;
    await this.sql.write(fixed(`${INSERT_SETTING.text} ${onConflictUpdate('name')} value = ?`), [name, value, value]);
  }
}

async function insertAd(runner: SqlRunner, held: HeldAd, now: Date): Promise<void> {
  const outpoint = [Buffer.from(held.txid, 'hex'), held.outputIndex] as const;
  if ((await runner.read(FIND_AD, outpoint)).length > 0) {
    await runner.write(UNREVOKE, outpoint);
    return;
  }
  const { protocol, name, domain } = held.ad;
  const names = [protocol, name, domain].map(encodeName);
  await runner.write(INSERT_AD, [...outpoint, ...names, now.getTime()]);
}

function toHeldAd(row: SqlRow): HeldAd {
  return {
    txid: (row['txid'] as Buffer).toString('hex'),
    outputIndex: Number(row['output_index']),
    ad: {
      protocol: decodeName(row['protocol']) as HostAd['protocol'],
      name: decodeName(row['name']),
      domain: decodeName(row['domain']),
    },
  };
}

const UNSIGNED = encodeName('unsigned action');
const WANTED = encodeName('advertising wanted');

const ANYTHING = fixed(
  `SELECT 1 AS found FROM overlay_own_ads WHERE revoked_by IS NULL
   UNION ALL SELECT 1 FROM overlay_own_transactions WHERE state = X'6D616465'
   UNION ALL SELECT 1 FROM overlay_settings WHERE name = X'${UNSIGNED.toString('hex')}' LIMIT 1`,
);
const UNACCEPTED = fixed("SELECT txid, beef FROM overlay_own_transactions WHERE state = X'6D616465' ORDER BY id");
const FIND = fixed('SELECT txid, beef FROM overlay_own_transactions WHERE txid = ?');
const STATE = fixed('SELECT state FROM overlay_own_transactions WHERE txid = ?');
const INSERT_TRANSACTION = fixed(
  'INSERT INTO overlay_own_transactions (txid, beef, state, made_at) VALUES (?, ?, ?, ?)',
);
const UNREFUSE = fixed('UPDATE overlay_own_transactions SET state = ?, reason = NULL WHERE txid = ? AND state = ?');
const ACCEPTED = fixed('UPDATE overlay_own_transactions SET state = ?, accepted_at = ? WHERE txid = ?');
const REFUSED = fixed('UPDATE overlay_own_transactions SET state = ?, reason = ? WHERE txid = ?');
const AD = 'txid, output_index, protocol, name, domain';
const LIVE = fixed(`SELECT ${AD} FROM overlay_own_ads WHERE revoked_by IS NULL ORDER BY id`);
const LIVE_OF = fixed(`SELECT ${AD} FROM overlay_own_ads WHERE txid = ? AND revoked_by IS NULL ORDER BY output_index`);
const FIND_AD = fixed('SELECT 1 AS found FROM overlay_own_ads WHERE txid = ? AND output_index = ?');
const INSERT_AD = fixed(`INSERT INTO overlay_own_ads (${AD}, created_at) VALUES (?, ?, ?, ?, ?, ?)`);
const REVOKE = fixed('UPDATE overlay_own_ads SET revoked_by = ? WHERE txid = ? AND output_index = ?');
const UNREVOKE = fixed('UPDATE overlay_own_ads SET revoked_by = NULL WHERE txid = ? AND output_index = ?');
const UNREVOKE_BY = fixed('UPDATE overlay_own_ads SET revoked_by = NULL WHERE revoked_by = ?');
const FORGET_AD = fixed('DELETE FROM overlay_own_ads WHERE txid = ? AND output_index = ?');
const FORGET_ADS_OF = fixed('DELETE FROM overlay_own_ads WHERE txid = ?');
const GET_SETTING = fixed('SELECT value FROM overlay_settings WHERE name = ?');
const INSERT_SETTING = fixed('INSERT INTO overlay_settings (name, value) VALUES (?, ?)');
const UPDATE_EARLIER_SETTING = fixed('UPDATE overlay_settings SET value = ? WHERE name = ? AND value < ?');
const FORGET_SETTING = fixed('DELETE FROM overlay_settings WHERE name = ?');
