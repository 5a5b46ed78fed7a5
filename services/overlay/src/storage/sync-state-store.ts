import { prepared, toBinaryName } from '@messagebox/store';
import type { OverlaySql } from './overlay-sql.js';

const TABLE = 'overlay_sync_state';
const FIND = prepared(`SELECT since FROM ${TABLE} WHERE host = ? AND topic = ?`);
const INSERT = prepared(`INSERT INTO ${TABLE} (since, host, topic) VALUES (?, ?, ?)`);
const UPDATE = prepared(`UPDATE ${TABLE} SET since = ? WHERE host = ? AND topic = ?`);

/** How far this host has synchronised each topic of each peer. */
export class SyncStateStore {
  constructor(private readonly sql: OverlaySql) {}

  /** @param since the score, in the peer's time, up to which its outputs are known */
  async update(host: string, topic: string, since: number): Promise<void> {
    const values = [since, toBinaryName(host), toBinaryName(topic)];
    const isNew = await this.sql.insert(INSERT, values);
    if (!isNew) await this.sql.write(UPDATE, values);
  }

  /** @returns 0 for an unknown peer */
  async find(host: string, topic: string): Promise<number> {
    const [row] = await this.sql.read(FIND, [toBinaryName(host), toBinaryName(topic)]);
    return row === undefined ? 0 : Number(row['since']);
  }
}
