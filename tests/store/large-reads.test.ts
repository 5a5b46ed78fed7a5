import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKnex, openStore, StoreUnavailableError } from '@messagebox/store';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { SqliteThread, ThreadFailedError } from '../../packages/store/src/client/sqlite-thread.ts';

const BODY = 'ä🦊x'.repeat(200_000);
const LARGE_READ = 'SELECT id, body FROM bodies WHERE id = ?';

/** SQLite reads large bodies in a thread of its own. */
let folder: string;
let filename: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mb-large-'));
  filename = join(folder, 'messages.db');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the store', () => {
  const recipient = `02${'aa'.repeat(32)}`;
  const createMessage = (body: string) => ({
    recipient,
    sender: recipient,
    messageBox: 'inbox',
    messageId: randomBytes(8).toString('hex'),
    body,
  });

  test('lists large bodies as they were stored, and leaves nothing behind', async () => {
    const store = openStore({ client: 'better-sqlite3', filename });
    await store.migrate();
    await store.storeMessages([createMessage(BODY)]);
    await store.storeMessages([createMessage('small'), createMessage(BODY.toUpperCase())]);
    const { messages } = await store.listMessages({ recipient, messageBox: 'inbox', maxBytes: 1e8 });
    expect(messages.map(({ body }) => body)).toEqual([BODY, 'small', BODY.toUpperCase()]);
    await store.close();
    expect(await readdir(folder)).toEqual(['messages.db']);
  });

  test('reads a body that was stored, and not one that was acknowledged, right before', async () => {
    const store = openStore({ client: 'better-sqlite3', filename });
    await store.migrate();
    for (let turn = 0; turn < 5; turn++) {
      const body = `${turn}${BODY}`;
      const message = createMessage(body);
      const [result] = await store.storeMessages([message]);
      const id = Number(result?.cursor);
      expect(await store.readBodies([id], body.length)).toEqual(new Map([[id, body]]));
      await store.acknowledgeMessages(recipient, [message.messageId]);
      expect(await store.readBodies([id], body.length)).toEqual(new Map());
    }
    await store.close();
  });

  test('refuses a large read after it was closed', async () => {
    const store = openStore({ client: 'better-sqlite3', filename });
    await store.migrate();
    await store.close();
    await expect(store.readBodies([1], 1e6)).rejects.toThrow(StoreUnavailableError);
  });

  test('reads large bodies of a database in memory too', async () => {
    const store = openStore({ client: 'better-sqlite3', filename: ':memory:' });
    await store.migrate();
    await store.storeMessages([createMessage(BODY)]);
    const { messages } = await store.listMessages({ recipient, messageBox: 'inbox', maxBytes: 1e8 });
    expect(messages.map(({ body }) => body)).toEqual([BODY]);
    await store.close();
  });

  test('makes a large read itself when the thread can’t', async () => {
    const read = jest.spyOn(SqliteThread.prototype, 'read').mockRejectedValue(new ThreadFailedError('It has ended.'));
    const store = openStore({ client: 'better-sqlite3', filename });
    await store.migrate();
    await store.storeMessages([createMessage(BODY)]);
    const { messages } = await store.listMessages({ recipient, messageBox: 'inbox', maxBytes: 1e8 });
    expect(messages.map(({ body }) => body)).toEqual([BODY]);
    expect(read).toHaveBeenCalledTimes(1);
    read.mockRestore();
    await store.close();
  });
});

describe('the thread', () => {
  let thread: SqliteThread | undefined;
  afterEach(() => thread?.close());
  const warnings: string[] = [];
  const open = (idleMs?: number) => {
    const log = { info: () => undefined, warn: (_fields: object, message: string) => void warnings.push(message) };
    thread = new SqliteThread({ filename, timeoutMs: 1_000, log, idleMs });
    return thread;
  };
  const createDatabase = async (file: string, ids: readonly number[]) => {
    const knex = createKnex({ client: 'better-sqlite3', filename: file });
    await knex.raw('CREATE TABLE bodies (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
    for (const id of ids) await knex.raw('INSERT INTO bodies VALUES (?, ?)', [id, `${id}${BODY}`]);
    await knex.destroy();
  };
  beforeEach(async () => {
    warnings.length = 0;
    await createDatabase(filename, [1, 2, 3]);
  });

  test('gives the rows of each read, in their order', async () => {
    const reads = open();
    const [two, all] = await Promise.all([
      reads.read(LARGE_READ, [2]),
      reads.read('SELECT id, body FROM bodies ORDER BY id DESC', []),
    ]);
    expect(two).toEqual([{ id: 2, body: `2${BODY}` }]);
    expect(all.map((row) => row['id'])).toEqual([3, 2, 1]);
  });

  test('rejects a statement that fails, and reads on', async () => {
    const reads = open();
    await expect(reads.read('SELECT nothing FROM bodies', [])).rejects.toThrow(ThreadFailedError);
    expect(await reads.read(LARGE_READ, [1])).toHaveLength(1);
  });

  test('can’t write', async () => {
    const reads = open();
    await expect(reads.read('DELETE FROM bodies RETURNING id', [])).rejects.toThrow(ThreadFailedError);
    expect(await reads.read(LARGE_READ, [1])).toHaveLength(1);
  });

  test('that can’t open the database rejects, says so, and is started again by the next read', async () => {
    thread = new SqliteThread({
      filename: join(folder, 'other.db'),
      timeoutMs: 1_000,
      log: { info: () => undefined, warn: (_fields, message) => void warnings.push(message) },
    });
    await expect(thread.read(LARGE_READ, [1])).rejects.toThrow(ThreadFailedError);
    expect(warnings).toHaveLength(1);
    await createDatabase(join(folder, 'other.db'), []);
    expect(await thread.read(LARGE_READ, [1])).toEqual([]);
  });

  test('that is closed rejects what it has not read', async () => {
    const reads = open();
    const pending = expect(reads.read(LARGE_READ, [1])).rejects.toThrow(ThreadFailedError);
    await reads.close();
    await pending;
    await expect(reads.read(LARGE_READ, [1])).rejects.toThrow(ThreadFailedError);
    expect(reads.isRunning).toBe(false);
  });

  test('ends when there is nothing to read, and the next read starts it again', async () => {
    const reads = open(1);
    for (let turn = 0; turn < 2; turn++) {
      expect(await reads.read(LARGE_READ, [1])).toHaveLength(1);
      await waitForCondition(() => !reads.isRunning, 'the thread ends');
    }
    expect(warnings).toEqual([]);
  });
});
