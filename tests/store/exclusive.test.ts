import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { Exclusive, LockedError, type OpenDatabase, openDatabase } from '../../packages/shared/src/store/index.js';
import { temporaryFolder } from '../support/own-process.js';
import { createDatabase, describeWithMysql, type TestDatabase } from '../support/with-mysql.js';

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

/** Runs many under one name. @returns how many there were at once, at most */
async function mostAtOnce(exclusives: readonly Exclusive[], name: string): Promise<number> {
  let [now, most] = [0, 0];
  const work = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, (_, i) => exclusives[i % exclusives.length]?.run(name, work)));
  return most;
}

async function promises(exclusive: Exclusive): Promise<void> {
  expect(await mostAtOnce([exclusive], 'one')).toBe(1);
  const [first, second] = [held(), held()];
  const running = [exclusive.run('a', first.work), exclusive.run('b', second.work)];
  await Promise.all([first.begun, second.begun]); // other names are not in the way
  for (const { end } of [first, second]) end();
  await Promise.all(running);
  await expect(exclusive.run('a', () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await exclusive.run('a', async ({ assertHeld }) => assertHeld().then(() => 7))).toBe(7);
}

test('in one process on SQLite: one at a time for each name', async () => {
  const folder = temporaryFolder();
  const { sql, messages } = openDatabase({ client: 'better-sqlite3', filename: join(folder.path, 'x.sqlite') });
  await promises(new Exclusive(sql));
  await messages.close();
  folder.remove();
});

describeWithMysql('among processes on MySQL', () => {
  let database: TestDatabase;
  let opened: OpenDatabase[];
  beforeEach(async () => {
    database = await createDatabase();
    opened = [0, 1].map(() => openDatabase({ ...database.config, poolSize: 1 }));
  });
  afterEach(async () => {
    for (const { messages } of opened) await messages.close();
    await database.drop();
  });
  const exclusive = (i: number, waitSeconds?: number) => new Exclusive((opened[i] as OpenDatabase).sql, waitSeconds);

  test('one at a time for each name, and none of the pool’s connections is held', async () => {
    await promises(exclusive(0));
    expect(await mostAtOnce([exclusive(0), exclusive(1), exclusive(1)], 'many')).toBe(1);
    await exclusive(0).run('asks', () => (opened[0] as OpenDatabase).messages.ping());
  });

  test('however many are held, they take one connection, which goes with the last', async () => {
    const own = exclusive(0);
    const all = Array.from({ length: 10 }, held);
    const running = all.map(({ work }, i) => own.run(`name ${i}`, work));
    await Promise.all(all.map(({ begun }) => begun));
    expect(await connections()).toBe(1);
    for (const { end } of all) end();
    await Promise.all(running);
    await gone();
    expect(await own.run('name 0', async () => 'again')).toBe('again');
    await gone();
  });

  test('who waits for another process too long is told so, and nothing is done', async () => {
    const first = held();
    const running = exclusive(0).run('busy', first.work);
    await first.begun;
    const work = jest.fn();
    await expect(exclusive(1, 0.2).run('busy', work)).rejects.toThrow(LockedError);
    expect(work).not.toHaveBeenCalled();
    first.end();
    await running;
    expect(await exclusive(1, 0.2).run('busy', async () => 'free')).toBe('free');
  });

  test('a holder whose connection was cut finds out, and others go on', async () => {
    const [own, other] = [exclusive(0), exclusive(1)];
    const first = held();
    const running = own.run('cut', async ({ assertHeld }) => {
      await assertHeld();
      await first.work();
      await assertHeld();
    });
    await first.begun;
    await onServer(async (query) => {
      const rows = await query<{ id: number }>(
        'SELECT id FROM information_schema.processlist WHERE db = ? AND id != CONNECTION_ID()',
      );
      for (const { id } of rows) await query(`KILL ${id}`);
    });
    expect(await other.run('cut', async () => 'mine')).toBe('mine');
    first.end();
    await expect(running).rejects.toThrow(LockedError);
    expect(await own.run('cut', async () => 'again')).toBe('again');
  });

  async function onServer<T>(work: (query: <R>(sql: string) => Promise<R[]>) => Promise<T>): Promise<T> {
    const connection = await createConnection({ uri: database.url });
    const name = new URL(database.url).pathname.slice(1);
    try {
      return await work(async <R>(sql: string) => (await connection.query(sql, [name]))[0] as R[]);
    } finally {
      await connection.end();
    }
  }

  /** Of the database, but for the one that asks. */
  const connections = () =>
    onServer(async (query) => {
      const rows = await query<{ id: number }>(
        'SELECT id FROM information_schema.processlist WHERE db = ? AND id != CONNECTION_ID()',
      );
      return rows.length;
    });

  /** The server notices the end of a connection a moment later. */
  async function gone(): Promise<void> {
    for (let look = 0; look < 100 && (await connections()) > 0; look += 1);
    expect(await connections()).toBe(0);
  }
});
