import { setTimeout as delay } from 'node:timers/promises';
import { LockedError, NamedLock, openDatabase, type SqlClient, type StoreConfig } from '@messagebox/store';
import { createTemporaryFolder, startProcess } from '@messagebox/test-support/managed-process';
import { createSignal } from '@messagebox/test-support/signal';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { withTimeout } from '../acceptance/history.js';
import { createTcpProxy } from '../support/tcp-proxy.js';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(config: StoreConfig): SqlClient {
  const { messages, sql } = openDatabase(config);
  closers.push(() => messages.close());
  return sql;
}

/** Runs on each in turn, and tells how many ever ran at once. */
async function mostAtOnce(users: readonly NamedLock[], name = () => 'work'): Promise<number> {
  let running = 0;
  let most = 0;
  await Promise.all(
    users.map((user) =>
      user.withLock(name(), async () => {
        running += 1;
        most = Math.max(most, running);
        await delay(20);
        running -= 1;
      }),
    ),
  );
  return most;
}

/** Runs on each in turn; ends only if all of them run at once. */
async function allAtOnce(users: readonly NamedLock[], name = () => 'work'): Promise<void> {
  const all = createSignal();
  let running = 0;
  const runs = users.map((user) =>
    user.withLock(name(), async () => {
      running += 1;
      if (running === users.length) all.resolve();
      await withTimeout(15_000, `all ${users.length} run at once`, all.promise);
    }),
  );
  await Promise.all(runs);
}

describe('one at a time in one process (SQLite)', () => {
  let exclusive: NamedLock;
  beforeEach(() => {
    const folder = createTemporaryFolder();
    closers.push(() => folder.remove());
    exclusive = new NamedLock(open({ client: 'better-sqlite3', filename: `${folder.path}/a.sqlite` }));
  });

  test('runs in the order of asking, and gives back what each returns', async () => {
    const order: number[] = [];
    const runs = [30, 1, 10].map((ms, n) =>
      exclusive.withLock('work', async (lock) => {
        await lock.assertHeld();
        await delay(ms);
        order.push(n);
        return n;
      }),
    );
    expect(await Promise.all(runs)).toEqual([0, 1, 2]);
    expect(order).toEqual([0, 1, 2]);
    expect(await mostAtOnce([exclusive, exclusive, exclusive])).toBe(1);
  });

  test('runs the next work after one that throws', async () => {
    const failing = exclusive.withLock('work', async () => {
      throw new Error('broken');
    });
    const next = exclusive.withLock('work', async () => 'next');
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('next');
  });
});

describeWithMysql('one at a time among processes (MySQL, MariaDB)', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createMysqlDatabase();
  });
  afterAll(() => database.drop());

  /** The lock of another process. */
  const exclusive = (waitSeconds?: number, config: object = {}, lostAfterSeconds?: number) =>
    new NamedLock(open({ ...database.config, ...config } as StoreConfig), waitSeconds, lostAfterSeconds);

  test('excludes other processes and itself; locks of other names are independent', async () => {
    const [one, other] = [exclusive(), exclusive()];
    expect(await mostAtOnce([one, other, one, other])).toBe(1);
    let n = 0;
    await allAtOnce([one, other, one, other], () => `work ${n++}`);
  });

  test('keeps the locks of each database apart', async () => {
    const neighbour = await createMysqlDatabase();
    closers.push(() => neighbour.drop());
    const there = new NamedLock(open(neighbour.config));
    await allAtOnce([exclusive(), there]);
  });

  test('tells a caller that waits too long, and runs nothing for it', async () => {
    const held = createSignal();
    const go = createSignal();
    const holding = exclusive().withLock('work', async () => {
      held.resolve();
      await go.promise;
    });
    await held.promise;
    const work = jest.fn(async () => undefined);
    const waiting = exclusive(0).withLock('work', work);
    await expect(waiting).rejects.toThrow(LockedError);
    await expect(waiting).rejects.toThrow('Another process has held the lock on "work" for 0 s.');
    expect(work).not.toHaveBeenCalled();
    go.resolve();
    await holding;
    await exclusive(0).withLock('work', work);
    expect(work).toHaveBeenCalledTimes(1);
  });

  test('releases the lock when the work throws', async () => {
    const failing = exclusive().withLock('work', async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(await exclusive(0).withLock('work', async () => 'next')).toBe('next');
  });

  test('takes no connection of the pool, which the work needs', async () => {
    const sql = open({ ...database.config, poolSize: 1 } as StoreConfig);
    const user = new NamedLock(sql, 5);
    const works = [1, 2, 3].map((n) =>
      user.withLock('work', async () => (await sql.read({ text: `SELECT ${n} AS n`, kind: 'dynamic' }, []))[0]?.['n']),
    );
    expect(await Promise.all(works)).toEqual([1, 2, 3]);
  });

  test('releases the lock of a holder that is killed', async () => {
    const holder = startProcess(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { NamedLock, openDatabase } from '@messagebox/store';
         const { sql } = openDatabase(JSON.parse(process.argv[1]));
         await new NamedLock(sql).withLock('work', async () => {
           console.log('held');
           await new Promise((resolve) => setTimeout(resolve, 60_000));
         });`,
        JSON.stringify(database.config),
      ],
      { cwd: `${import.meta.dirname}/..` },
    );
    closers.push(() => holder.terminate('SIGKILL'));
    await holder.waitForLine((line) => line === 'held');
    await expect(exclusive(0).withLock('work', async () => undefined)).rejects.toThrow(LockedError);
    const waiting = exclusive(20).withLock('work', async () => 'mine');
    await holder.terminate('SIGKILL');
    expect(await waiting).toBe('mine');
  });

  test('releases the lock of a holder whose machine disappears, after a while', async () => {
    const proxy = await createTcpProxy({ target: database.url });
    closers.push(() => proxy.close());
    const [held, gone] = [createSignal(), createSignal()];
    const holding = exclusive(5, { connection: proxy.url }, 1).withLock('work', async () => {
      proxy.setDelay(3_600_000);
      held.resolve();
      await gone.promise;
    });
    closers.push(async () => {
      gone.resolve();
      proxy.cut();
      await holding;
    });
    await held.promise;
    expect(await exclusive(20).withLock('work', async () => 'mine')).toBe('mine');
  });

  test('keeps the lock of a holder that is busy for long', async () => {
    await exclusive(5, {}, 1).withLock('work', async (lock) => {
      await expect(exclusive(3).withLock('work', async () => undefined)).rejects.toThrow(LockedError);
      await lock.assertHeld();
    });
  });

  test('tells a holder whose connection is cut before it continues', async () => {
    const proxy = await createTcpProxy({ target: database.url });
    closers.push(() => proxy.close());
    const cut = exclusive(5, { connection: proxy.url });
    const outcome = cut.withLock('work', async (lock) => {
      await lock.assertHeld();
      proxy.cut();
      // Somebody else has it meanwhile.
      await exclusive(20).withLock('work', async () => undefined);
      await lock.assertHeld();
    });
    await expect(outcome).rejects.toThrow('The lock on "work" was lost.');
  });
});
