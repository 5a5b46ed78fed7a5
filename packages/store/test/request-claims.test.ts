import type { Sql, SqlClient, SqlValue, WriteResult } from '../src/client/sql-client.js';
import { RequestClaims } from '../src/sessions/request-claims.js';

const connectionLost = Object.assign(new Error('the connection was lost'), { code: 'PROTOCOL_CONNECTION_LOST' });
const deadlock = Object.assign(new Error('deadlock'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });
const duplicate = Object.assign(new Error('duplicate'), { errno: 1062, code: 'ER_DUP_ENTRY' });

/** Claims on a database that answers with `write`, and the number of rows of each INSERT. */
function createClaims(write: (keys: string[], attempt: number) => void) {
  const rowCounts: number[] = [];
  const sql = {
    toSqlTime: (time: Date) => time,
    write: async (_sql: Sql, values: readonly SqlValue[]): Promise<WriteResult> => {
      const keys = values.filter((value) => Buffer.isBuffer(value)).map(String);
      rowCounts.push(keys.length);
      write(keys, rowCounts.length);
      return { changes: keys.length, insertId: 0 };
    },
  };
  const claims = new RequestClaims(sql as unknown as SqlClient);
  const claimAll = (...keys: string[]) =>
    Promise.allSettled(keys.map((key) => claims.claim({ key: Buffer.from(key), expiresAt: new Date(0) })));
  return { claimAll, rowCounts };
}

const fulfilled = (value: boolean) => ({ status: 'fulfilled', value });
const rejected = (reason: Error) => ({ status: 'rejected', reason });

test('claims of one turn of the event loop share a statement', async () => {
  const { claimAll, rowCounts } = createClaims(() => {});
  expect(await claimAll('a', 'b', 'c')).toEqual([fulfilled(true), fulfilled(true), fulfilled(true)]);
  expect(rowCounts).toEqual([3]);
});

test('a group with a used request is inserted one by one', async () => {
  const { claimAll, rowCounts } = createClaims((keys) => {
    if (keys.includes('used')) throw duplicate;
  });
  expect(await claimAll('a', 'used', 'c')).toEqual([fulfilled(true), fulfilled(false), fulfilled(true)]);
  expect(rowCounts).toEqual([3, 1, 1, 1]);
});

test('a group that fails for another reason is not tried one by one', async () => {
  const { claimAll, rowCounts } = createClaims(() => {
    throw connectionLost;
  });
  expect(await claimAll('a', 'b', 'c')).toEqual([
    rejected(connectionLost),
    rejected(connectionLost),
    rejected(connectionLost),
  ]);
  expect(rowCounts).toEqual([3]);
});

test('a group that loses a deadlock is inserted again as a group', async () => {
  const { claimAll, rowCounts } = createClaims((_keys, attempt) => {
    if (attempt === 1) throw deadlock;
  });
  expect(await claimAll('a', 'b')).toEqual([fulfilled(true), fulfilled(true)]);
  expect(rowCounts).toEqual([2, 2]);
});
