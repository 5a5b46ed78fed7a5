import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { listDatabaseConnections } from '../support/database-activity.js';
import { waitUntil } from './history.js';

/** A database in which a message that was inserted is not committed before the test says so. */
export interface HeldCommits {
  /** Resolves when so many messages wait between their statement and their commit. */
  waiting(count: number): Promise<void>;
  /** Lets those that wait, and all that follow, commit. */
  release(): Promise<void>;
  /** Holds again. */
  hold(): Promise<void>;
  close(): Promise<void>;
}

/** Needs a user who may create triggers. It holds from the start. */
export async function holdCommits(databaseUrl: string): Promise<HeldCommits> {
  const connection = await createConnection({ uri: databaseUrl });
  const lock = `mb_test_${randomBytes(8).toString('hex')}`;
  const hold = async () => void (await connection.query('SELECT GET_LOCK(?, 10)', [lock]));
  const release = async () => void (await connection.query('SELECT RELEASE_LOCK(?)', [lock]));
  await hold();
  // Each insert takes this lock for a moment, so it waits until this connection releases it.
  await connection.query(
    `CREATE TRIGGER hold_commit AFTER INSERT ON messages FOR EACH ROW
     BEGIN DO GET_LOCK('${lock}', 60); DO RELEASE_LOCK('${lock}'); END`,
  );
  const database = new URL(databaseUrl).pathname.slice(1);
  const count = async () => {
    const processes = await listDatabaseConnections(connection, database);
    return processes.filter(({ State }) => State === 'User lock').length;
  };
  return {
    waiting: (wanted) => waitUntil(`${wanted} messages wait for their commit`, async () => (await count()) === wanted),
    release,
    hold,
    async close() {
      await release();
      await connection.query('DROP TRIGGER IF EXISTS hold_commit');
      await connection.end();
    },
  };
}
