import { dynamic, type SqlRow } from '@messagebox/store';
import type { OverlaySql } from './overlay-sql.js';
import { bytesToTxid } from './rows.js';

/** An unproven transaction that the chain is to be asked for. */
export interface DueProofQuery {
  readonly txid: string;
  /** Milliseconds since 1970. */
  readonly appliedAt: number;
}

/** Rows that have waited longest, and as many that have waited least, so that all submitters are found. */
const MAX_DUE_ROWS = 1_000;

/**
 * Lists unproven transactions whose next query for a merkle path is due. The submitters take turns, each with the one
 * that has waited longest, so that a submitter of many transactions does not delay the others.
 */
export async function listDueProofQueries(sql: OverlaySql, now: number, limit: number): Promise<DueProofQuery[]> {
  const [oldest, newest] = [await selectDue(sql, now, 'ASC'), await selectDue(sql, now, 'DESC')];
  const rows = [...oldest, ...newest.reverse()];
  const appliedAt = new Map(rows.map((row) => [bytesToTxid(row['txid']), Number(row['applied_at'])]));
  return interleaveBySubmitter(rows)
    .slice(0, Math.trunc(limit))
    .map((txid) => ({ txid, appliedAt: appliedAt.get(txid) as number }));
}

function selectDue(sql: OverlaySql, now: number, order: 'ASC' | 'DESC'): Promise<SqlRow[]> {
  return sql.read(
    dynamic(
      `SELECT p.txid, p.ask_at, p.applied_at, t.submitter FROM overlay_applied p LEFT JOIN overlay_transactions t ON t.txid = p.txid
       WHERE p.proven = 0 AND p.ask_at <= ? ORDER BY p.ask_at ${order} LIMIT ${MAX_DUE_ROWS}`,
    ),
    [now],
  );
}

/** @returns each txid once, the submitters taking turns */
function interleaveBySubmitter(rows: readonly SqlRow[]): string[] {
  const queues = new Map<string, Set<string>>();
  for (const row of rows) {
    const submitter = row['submitter'] instanceof Uint8Array ? bytesToTxid(row['submitter']) : '';
    const queue = queues.get(submitter) ?? new Set();
    queues.set(submitter, queue.add(bytesToTxid(row['txid'])));
  }
  const found = new Set<string>();
  const iterators = new Set([...queues.values()].map((queue) => queue.values()));
  while (iterators.size > 0) {
    for (const iterator of iterators) {
      const next = iterator.next();
      if (next.done === true) iterators.delete(iterator);
      else found.add(next.value);
    }
  }
  return [...found];
}
