import { setTimeout as delay } from 'node:timers/promises';
import {
  Exclusive,
  LockedError,
  openDatabase,
  type SqlClient,
  type StoreConfig,
} from '../../packages/shared/src/store/index.js';
import { within } from '../acceptance/history.js';
import { signal } from '../jobs/jobs-suite.js';
import { startProcess, temporaryFolder } from '../support/own-process.js';
import { createTcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, describeWithMysql, type TestDatabase } from '../support/with-mysql.js';

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
async function mostAtOnce(users: readonly Exclusive[], name = () => 'work'): Promise<number> {
  let running = 0;
  let most = 0;
  await Promise.all(
    users.map((user) =>
      user.run(name(), async () => {
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
async function allAtOnce(users: readonly Exclusive[], name = () => 'work'): Promise<void> {
  const all = signal();
  let running = 0;
  const runs = users.map((user) =>
    user.run(name(), async () => {
      running += 1;
      if (running === users.length) all.resolve();
      await within(15_000, `all ${users.length} run at once`, all.promise);
    }),
  );
  await Promise.all(runs);
}

describe('one at a time in one process (SQLite)', () => {
  let exclusive: Exclusive;
  beforeEach(() => {
    const folder = temporaryFolder();
    closers.push(() => folder.remove());
    exclusive = new Exclusive(open({ client: 'better-sqlite3', filename: `${folder.path}/a.sqlite` }));
  });

  test('runs in the order of asking, and gives back what each returns', async () => {
    const order: number[] = [];
    const runs = [30, 1, 10].map((ms, n) =>
      exclusive.run('work', async (lock) => {
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

  test('one that throws does not hold up the next', async () => {
    const failing = exclusive.run('work', async () => {
      throw new Error('broken');
    });
    const next = exclusive.run('work', async () => 'next');
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('next');
  });
});

describeWithMysql('one at a time among processes (MySQL, MariaDB)', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  /** As another process has it. */
  const exclusive = (waitSeconds?: number, config: object = {}, lostAfterSeconds?: number) =>
    new Exclusive(open({ ...database.config, ...config } as StoreConfig), waitSeconds, lostAfterSeconds);

  test('excludes others and itself; other names go on beside it', async () => {
    const [one, other] = [exclusive(), exclusive()];
    expect(await mostAtOnce([one, other, one, other])).toBe(1);
    let n = 0;
    await allAtOnce([one, other, one, other], () => `work ${n++}`);
  });

  test('another database has locks of its own', async () => {
    const neighbour = await createDatabase();
    closers.push(() => neighbour.drop());
    const there = new Exclusive(open(neighbour.config));
    await allAtOnce([exclusive(), there]);
  });

  test('who waits for too long is told, and has done nothing', async () => {
    const held = signal();
    const go = signal();
    const holding = exclusive().run('work', async () => {
      held.resolve();
      await go.promise;
    });
    await held.promise;
    const work = jest.fn(async () => undefined);
    const waiting = exclusive(0).run('work', work);
    await expect(waiting).rejects.toThrow(LockedError);
    await expect(waiting).rejects.toThrow('Somebody else has been busy with "work" for 0 s.');
    expect(work).not.toHaveBeenCalled();
    go.resolve();
    await holding;
    await exclusive(0).run('work', work);
    expect(work).toHaveBeenCalledTimes(1);
  });

  test('one that throws gives it back', async () => {
    const failing = exclusive().run('work', async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(await exclusive(0).run('work', async () => 'next')).toBe('next');
  });

  test('takes no connection of the pool, which the work needs', async () => {
    const sql = open({ ...database.config, poolSize: 1 } as StoreConfig);
    const user = new Exclusive(sql, 5);
    const works = [1, 2, 3].map((n) =>
      user.run('work', async () => (await sql.read({ text: `SELECT ${n} AS n`, kind: 'varying' }, []))[0]?.['n']),
    );
    expect(await Promise.all(works)).toEqual([1, 2, 3]);
  });

  test('a holder that is killed leaves it free', async () => {
    const holder = startProcess(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { Exclusive, openDatabase } from '@messagebox/shared';
         const { sql } = openDatabase(JSON.parse(process.argv[1]));
         await new Exclusive(sql).run('work', async () => {
           console.log('held');
           await new Promise((resolve) => setTimeout(resolve, 60_000));
         });`,
        JSON.stringify(database.config),
      ],
      { cwd: `${import.meta.dirname}/..` },
    );
    closers.push(() => holder.end('SIGKILL'));
    await holder.waitForLine((line) => line === 'held');
    await expect(exclusive(0).run('work', async () => undefined)).rejects.toThrow(LockedError);
    const waiting = exclusive(20).run('work', async () => 'mine');
    await holder.end('SIGKILL');
    expect(await waiting).toBe('mine');
  });

  test('a holder on a machine that is gone without a word leaves it free after a while', async () => {
    const proxy = await createTcpProxy({ target: database.url });
    closers.push(() => proxy.close());
    const [held, gone] = [signal(), signal()];
    const holding = exclusive(5, { connection: proxy.url }, 1).run('work', async () => {
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
    expect(await exclusive(20).run('work', async () => 'mine')).toBe('mine');
  });

  test('a holder that is busy elsewhere for long keeps it', async () => {
    await exclusive(5, {}, 1).run('work', async (lock) => {
      await expect(exclusive(3).run('work', async () => undefined)).rejects.toThrow(LockedError);
      await lock.assertHeld();
    });
  });

  test('a holder whose connection is cut is told before it goes on', async () => {
    const proxy = await createTcpProxy({ target: database.url });
    closers.push(() => proxy.close());
    const cut = exclusive(5, { connection: proxy.url });
    const outcome = cut.run('work', async (lock) => {
      await lock.assertHeld();
      proxy.cut();
      // Somebody else has it meanwhile.
      await exclusive(20).run('work', async () => undefined);
      await lock.assertHeld();
    });
    await expect(outcome).rejects.toThrow('The lock on "work" was lost.');
  });
});
