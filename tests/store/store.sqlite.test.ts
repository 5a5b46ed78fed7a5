import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKnex, openStore, type StoreConfig, StoreUnavailableError } from '@messagebox/store';
import { getOutcomes } from '../support/store-outcomes.js';
import { storeSuite, withReceipts } from './store-suite.js';

async function sqliteFixture() {
  const folder = await mkdtemp(join(tmpdir(), 'mb-store-'));
  const config: StoreConfig = { client: 'better-sqlite3', filename: join(folder, 'messages.db') };
  return { config, folder, drop: () => rm(folder, { recursive: true }) };
}

storeSuite('store on SQLite', sqliteFixture);
storeSuite('store on SQLite that remembers what became of messages', () => withReceipts(sqliteFixture));

describe('SQLite', () => {
  test('survives a power cut: write-ahead log, synchronous=FULL, foreign keys', async () => {
    const { config, drop } = await sqliteFixture();
    const knex = createKnex(config);
    expect(await knex.raw('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    expect(await knex.raw('PRAGMA synchronous')).toEqual([{ synchronous: 2 }]);
    expect(await knex.raw('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }]);
    await knex.destroy();
    await drop();
  });

  test('messages are there after closing and opening again', async () => {
    const { config, drop } = await sqliteFixture();
    const message = { recipient: 'r', messageBox: 'inbox', messageId: 'm', sender: 's', body: 'still here' };
    const first = openStore(config);
    await first.migrate();
    await first.storeMessages([message]);
    await first.close();
    const second = openStore(config);
    expect(await getOutcomes(second.storeMessages([message]))).toEqual(['duplicate']);
    const { messages } = await second.listMessages({ recipient: 'r', messageBox: 'inbox', maxBytes: 1_000 });
    expect(messages.map(({ body }) => body)).toEqual(['still here']);
    await second.close();
    await drop();
  });

  test('a file that cannot be opened makes the store unavailable, with the reason', async () => {
    const { folder, drop } = await sqliteFixture();
    const store = openStore({ client: 'better-sqlite3', filename: join(folder, 'no such folder', 'messages.db') });
    const failure = await store.ping().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnavailableError);
    expect(String((failure as Error).cause)).toMatch(/directory does not exist/);
    await store.close();
    await drop();
  });

  test('a database in memory works as long as the store is open', async () => {
    const store = openStore({ client: 'better-sqlite3', filename: ':memory:' });
    await store.migrate();
    expect(
      await getOutcomes(
        store.storeMessages([{ recipient: 'r', messageBox: 'b', messageId: 'm', sender: 's', body: '' }]),
      ),
    ).toEqual(['stored']);
    await store.close();
  });
});
