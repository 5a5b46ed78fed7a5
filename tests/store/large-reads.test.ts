import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, StoreUnavailableError } from '@messagebox/store';
import { SqliteThread, SqliteThreadEndedError } from '../../packages/store/src/client/sqlite-thread.ts';

const BODY = 'ä🦊x'.repeat(200_000);

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
    const read = jest.spyOn(SqliteThread.prototype, 'read').mockRejectedValue(new SqliteThreadEndedError());
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
