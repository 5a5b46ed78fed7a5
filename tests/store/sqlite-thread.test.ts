import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type DatabaseHandle,
  dynamic,
  type MessagePage,
  openDatabase,
  type StoreLog,
  StoreUnavailableError,
  startSqliteThread,
  translateError,
} from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';

const MB = 2 ** 20;
const LARGE = 'x'.repeat(MB);

const folder = createTemporaryFolder();
const opened: DatabaseHandle[] = [];
let files = 0;

afterEach(() => Promise.all(opened.splice(0).map(({ messages }) => messages.close())));
afterAll(() => folder.remove());

interface Watched extends DatabaseHandle {
  readonly filename: string;
  /** The threads that were started. */
  readonly threads: Worker[];
  readonly warnings: string[];
}

/** A database with its tables. @param start replaces the thread */
async function open(
  start: (filename: string) => Worker = startSqliteThread,
  filename = join(folder.path, `${++files}.db`),
): Promise<Watched> {
  const threads: Worker[] = [];
  const warnings: string[] = [];
  const log: StoreLog = { info: () => undefined, warn: (_fields, text) => void warnings.push(text) };
  const startWatched = (name: string) => {
    const thread = start(name);
    threads.push(thread);
    return thread;
  };
  const database = openDatabase({ client: 'better-sqlite3', filename }, log, { startSqliteThread: startWatched });
  opened.push(database);
  await database.messages.migrate();
  return { ...database, filename, threads, warnings };
}

/** A thread that runs this program in place of the real one. */
const startProgram = (program: string) => () =>
  new Worker(`const { parentPort } = require('node:worker_threads'); ${program}`, { eval: true });

const toMessage = (body: string, messageId: string) => ({
  recipient: 'r',
  messageBox: 'inbox',
  messageId,
  sender: 's',
  body,
});

async function store({ messages }: DatabaseHandle, bodies: readonly string[]): Promise<void> {
  for (const [index, body] of bodies.entries()) await messages.storeMessages([toMessage(body, `m${index}`)]);
}

const list = ({ messages }: DatabaseHandle) =>
  messages.listMessages({ recipient: 'r', messageBox: 'inbox', maxBytes: 64 * MB });

/** Bodies by their lengths and beginnings: a failed comparison must not print megabytes. */
const sketch = ({ messages }: MessagePage) => messages.map(({ body }) => [body.length, body.slice(0, 4)]);

async function findIds({ messages }: DatabaseHandle): Promise<number[]> {
  return (await messages.listHeaders({ after: 0, limit: 100 })).map(({ id }) => id);
}

async function readPages({ sql }: DatabaseHandle): Promise<unknown> {
  const [row] = await sql.read(dynamic('PRAGMA wal_autocheckpoint'), []);
  return row?.['wal_autocheckpoint'];
}

describe('large bodies on SQLite', () => {
  test('are listed by the thread as they were sent', async () => {
    const bodies = ['😀'.repeat(MB / 4), 'ж\u0000ß"\\'.repeat(MB / 8), 'small', LARGE, `${LARGE}\u{10ffff}`];
    const database = await open();
    await store(database, bodies);
    const { messages } = await list(database);
    expect(database.threads).toHaveLength(1);
    expect(messages.map(({ body }, index) => body === bodies[index])).toEqual([true, true, true, true, true]);
  });

  test('are the same from the thread as from the main connection, when they are no valid Unicode', async () => {
    const database = await open();
    await store(database, [`\ud800${LARGE}\udc00`]);
    await database.sql.write(
      dynamic(`UPDATE messages SET body = body || CAST(x'f09f98' AS TEXT)`), // a part of a character
      [],
    );
    const select = dynamic('SELECT body FROM messages');
    const [[expected], [read]] = await Promise.all([
      database.sql.read(select, []),
      database.sql.readLarge(select, [], MB),
    ]);
    expect(database.threads).toHaveLength(1);
    expect(read?.['body'] === expected?.['body']).toBe(true);
  });

  test('are read by row id, without those of messages that were acknowledged meanwhile', async () => {
    const database = await open();
    await store(database, [LARGE, LARGE, 'small']);
    const ids = await findIds(database);
    await database.messages.acknowledgeMessages('r', ['m1']);
    const bodies = await database.messages.readBodies(ids, 2 * MB);
    expect(database.threads).toHaveLength(1);
    expect([...bodies].map(([id, body]) => [ids.indexOf(id), body.length])).toEqual([
      [0, MB],
      [2, 5],
    ]);
  });

  test('start no thread when they are small together', async () => {
    const database = await open();
    await store(database, ['x'.repeat(100_000), 'y'.repeat(100_000)]);
    expect(sketch(await list(database))).toEqual([
      [100_000, 'xxxx'],
      [100_000, 'yyyy'],
    ]);
    expect(database.threads).toHaveLength(0);
  });

  test('are read by the main connection of a database in memory', async () => {
    const database = await open(startSqliteThread, ':memory:');
    await store(database, [LARGE]);
    expect(sketch(await list(database))).toEqual([[MB, 'xxxx']]);
    expect(database.threads).toHaveLength(0);
  });

  test('have binary columns as Buffers, and errors with their code', async () => {
    const { sql } = await open();
    const [row] = await sql.readLarge(dynamic("SELECT x'01ff' AS bytes, 7 AS number, NULL AS missing"), [], MB);
    expect(row).toEqual({ bytes: Buffer.from([1, 255]), number: 7, missing: null });
    expect(Buffer.isBuffer(row?.['bytes'])).toBe(true);
    const failure = await sql.readLarge(dynamic('SELECT missing'), [], MB).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'SQLITE_ERROR', message: 'no such column: missing' });
    expect(translateError(failure)).toBeInstanceOf(StoreUnavailableError);
  });

  test('cannot be changed by the thread', async () => {
    const database = await open();
    await store(database, ['here']);
    const failure = database.sql.readLarge(dynamic('DELETE FROM messages RETURNING id'), [], MB);
    await expect(failure).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
    expect(sketch(await list(database))).toEqual([[4, 'here']]);
  });
});

describe("SQLite's thread", () => {
  const ends = [
    [
      'cannot be started',
      () => {
        throw new Error('no threads');
      },
    ],
    ['cannot open the database', startProgram("throw new Error('no database')")],
    ['ends before it answers', startProgram("parentPort.once('message', () => process.exit(1))")],
    [
      'ends in the middle of an answer',
      startProgram(`parentPort.postMessage({ kind: 'ready' });
        parentPort.on('message', ({ id }) => {
          parentPort.postMessage({ kind: 'rows', id, rows: [{ id: 1, body: 'half' }], isLast: false });
          setImmediate(() => process.exit(1));
        })`),
    ],
    [
      'runs out of memory',
      () =>
        new Worker(
          "require('node:worker_threads').parentPort.once('message', () => { for (const all = []; ; ) all.push(new Array(1000).fill(all.length)); })",
          { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } },
        ),
    ],
  ] as const;

  test.each(ends)('that %s leaves its reads to the main connection, with one warning', async (_name, start) => {
    const database = await open(start);
    await store(database, [LARGE, LARGE]);
    const lists = await Promise.all([list(database), list(database)]);
    lists.push(await list(database));
    expect(lists.map((page) => page.messages.map(({ body }) => body === LARGE))).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect(database.warnings).toEqual(["SQLite's thread ended; its work is done in the main thread"]);
    expect(database.threads.length).toBeLessThanOrEqual(1);
  });

  test('that is killed while it reads leaves the rest to the main connection', async () => {
    const database = await open();
    await store(database, Array<string>(12).fill(LARGE));
    const page = list(database);
    const again = list(database);
    const thread = await nextThread(database);
    await once(thread, 'message');
    await thread.terminate();
    for (const { messages } of await Promise.all([page, again])) {
      expect(messages.map(({ body }) => body === LARGE)).toEqual(Array(12).fill(true));
    }
  });

  test('makes the checkpoints as soon as it runs, and commits make them again when it has ended', async () => {
    const database = await open();
    await store(database, [LARGE]);
    expect(await readPages(database)).toBe(1_000);
    await list(database);
    await database.messages.storeMessages([toMessage('after the start', 'm1')]);
    expect(await readPages(database)).toBe(8_000);
    await database.threads[0]?.terminate();
    await database.messages.storeMessages([toMessage('after the end', 'm2')]);
    expect(await readPages(database)).toBe(1_000);
  });

  test('is started by writes, makes checkpoints one at a time, and keeps the log small though writes never pause', async () => {
    const database = await open();
    let largest = 0;
    let [requested, made, most] = [0, 0, 0];
    for (let batch = 0; batch < 50; batch++) {
      const bodies = Array.from({ length: 32 }, (_, index) =>
        toMessage(`${index}`.padEnd(65_536, 'y'), `${batch}-${index}`),
      );
      await database.messages.storeMessages(bodies);
      largest = Math.max(largest, statSync(`${database.filename}-wal`).size);
      const [thread] = database.threads;
      if (thread === undefined || requested > 0) continue;
      requested = 1;
      const post = thread.postMessage.bind(thread);
      jest.spyOn(thread, 'postMessage').mockImplementation((request: unknown) => {
        if ((request as { kind: string }).kind === 'checkpoint') most = Math.max(most, ++requested - made);
        post(request);
      });
      thread.on('message', ({ kind }: { kind: string }) => {
        if (kind === 'checkpointed') made += 1;
      });
    }
    expect(database.threads).toHaveLength(1);
    expect(made).toBeGreaterThan(1);
    expect(most).toBe(1);
    // 100 MB were written. The limit is 32 MB, and what is written while the thread makes a checkpoint.
    expect(largest).toBeLessThan(64 * MB);
  });

  test('loses nothing when it is killed between writes, and the log is gone after the close', async () => {
    const database = await open();
    const sent: string[] = [];
    for (let batch = 0; batch < 12; batch++) {
      const messages = Array.from({ length: 16 }, (_, index) =>
        toMessage(`${index}`.padEnd(65_536, 'z'), `${batch}-${index}`),
      );
      await database.messages.storeMessages(messages);
      sent.push(...messages.map(({ messageId }) => messageId));
      if (batch === 7) await database.threads[0]?.terminate();
    }
    expect(database.threads).toHaveLength(1);
    await database.messages.close();
    expect(existsSync(`${database.filename}-wal`)).toBe(false);
    const second = await open(startSqliteThread, database.filename);
    const { messages } = await list(second);
    expect(messages.map(({ messageId }) => messageId)).toEqual(sent);
  });

  test('ends before the store is closed, which removes the log', async () => {
    const database = await open();
    await store(database, [LARGE]);
    await list(database);
    const exited = once(database.threads[0] as Worker, 'exit');
    await database.messages.close();
    expect(await exited).toEqual([0]);
    expect(existsSync(`${database.filename}-wal`)).toBe(false);
    expect(database.warnings).toEqual([]);
    await expect(list(database)).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(database.sql.readLarge(dynamic('SELECT 1'), [], MB)).rejects.toThrow('The database is closed.');
  });

  test('answers the reads that it has when the store is closed', async () => {
    const database = await open();
    await store(database, Array<string>(8).fill(LARGE));
    const ids = await findIds(database);
    const select = dynamic(`SELECT id, body FROM messages WHERE id <= ${ids.at(-1)}`);
    const reads = [1, 2, 3].map(() => database.sql.readLarge(select, [], 8 * MB));
    await database.messages.close();
    expect((await Promise.all(reads)).map((rows) => rows.length)).toEqual([8, 8, 8]);
  });

  test('that ends while the store is closed makes its reads fail', async () => {
    const database = await open(
      startProgram("parentPort.on('message', ({ kind }) => { if (kind === 'close') process.exit(1); })"),
    );
    await store(database, [LARGE]);
    const [id] = await findIds(database);
    const failure = database.messages.readBodies([id as number], MB).catch((error: unknown) => error);
    await nextThread(database);
    await database.messages.close();
    expect(await failure).toBeInstanceOf(StoreUnavailableError);
    expect(database.warnings).toEqual([]);
  });
});

/** The thread, which is started some turns of the event loop after a call. */
async function nextThread({ threads }: Watched): Promise<Worker> {
  while (threads[0] === undefined) await new Promise((resolve) => setImmediate(resolve));
  return threads[0];
}
