import { type DatabaseHandle, NamedLock, openDatabase } from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { createConnection } from 'mysql2/promise';
import { waitUntil } from '../acceptance/history.js';
import { listDatabaseConnections } from '../support/database-activity.js';

/** Work that ends when it is told to, and says when it has begun. */
function held() {
  let begin: () => void = () => undefined;
  let end: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const work = async () => {
    begin();
    await ended;
  };
  return { work, begun, end };
}

describeWithMysql('the connection that holds locks', () => {
  let database: TestDatabase;
  let opened: DatabaseHandle[];
  beforeEach(async () => {
    database = await createMysqlDatabase();
    opened = [0, 1].map(() => openDatabase({ ...database.config, poolSize: 1 }));
  });
  afterEach(async () => {
    for (const { messages } of opened) await messages.close();
    await database.drop();
  });
  const exclusive = (i: number, waitSeconds?: number) => new NamedLock((opened[i] as DatabaseHandle).sql, waitSeconds);

  test('however many are held, they take one connection, which goes with the last', async () => {
    const own = exclusive(0);
    const all = Array.from({ length: 10 }, held);
    const running = all.map(({ work }, i) => own.withLock(`name ${i}`, work));
    await Promise.all(all.map(({ begun }) => begun));
    expect(await connections()).toBe(1);
    for (const { end } of all) end();
    await Promise.all(running);
    await gone();
    expect(await own.withLock('name 0', async () => 'again')).toBe('again');
    await gone();
  });

  /** How many the database has. */
  async function connections(): Promise<number> {
    const connection = await createConnection({ uri: database.url });
    try {
      return (await listDatabaseConnections(connection, new URL(database.url).pathname.slice(1))).length;
    } finally {
      await connection.end();
    }
  }

  /** The server notices the end of a connection a moment later. */
  const gone = () => waitUntil('the connection is gone', async () => (await connections()) === 0);
});
