import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  type DatabaseHandle,
  dynamic,
  openDatabase,
  SqlClientNonceStore,
  type StoreConfig,
  StoreUnavailableError,
} from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';

interface Fixture {
  readonly config: StoreConfig;
  drop(): unknown;
}

const NOW = new Date('2026-01-01T00:00:00Z');
const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const newNonce = (bytes = 48) => randomBytes(bytes).toString('base64');

function suite(fixture: () => Promise<Fixture>): void {
  let at: Fixture;
  let database: DatabaseHandle;
  let nonces: SqlClientNonceStore;
  beforeAll(async () => {
    at = await fixture();
    database = openDatabase(at.config);
    await database.messages.migrate();
    nonces = new SqlClientNonceStore(database.sql);
  });
  afterEach(() => database.sql.write(dynamic('DELETE FROM client_nonces'), []));
  afterAll(async () => {
    await database.messages.close();
    await at.drop();
  });

  /** Inserts so many unproven sessions, the first of which expires first. */
  async function insertMany(count: number, expiresAt: (i: number) => Date): Promise<Buffer[]> {
    const handles = Array.from({ length: count }, () => randomBytes(16));
    await Promise.all(handles.map((handle, i) => nonces.insert(handle, newNonce(), expiresAt(i))));
    return handles;
  }

  const countRows = async () => {
    const [row] = await database.sql.read(dynamic('SELECT COUNT(*) AS total FROM client_nonces'), []);
    return Number(row?.['total']);
  };

  test.each([16, 48, 128])('a client nonce of %i bytes is found by its handle, unproven at first', async (bytes) => {
    const [handle, clientNonce] = [randomBytes(16), newNonce(bytes)];
    expect(await nonces.find(handle)).toBeUndefined();
    await nonces.insert(handle, clientNonce, later(120));
    expect(await nonces.find(handle)).toEqual({ clientNonce, proven: false, expiresAt: later(120) });
    expect(await nonces.markProven(handle, later(3_600))).toBe(true);
    expect(await nonces.find(handle)).toEqual({ clientNonce, proven: true, expiresAt: later(3_600) });
  });

  test('many at once are kept and found, each by its own handle', async () => {
    const entries = Array.from({ length: 700 }, () => ({ handle: randomBytes(16), clientNonce: newNonce() }));
    await Promise.all(entries.map(({ handle, clientNonce }) => nonces.insert(handle, clientNonce, later(120))));
    const proven = entries.filter((_, i) => i % 2 === 0);
    await Promise.all(proven.map(({ handle }) => nonces.markProven(handle, later(3_600))));
    const found = await Promise.all([...entries, { handle: randomBytes(16) }].map(({ handle }) => nonces.find(handle)));
    const records = entries.map(({ clientNonce }, i) =>
      i % 2 === 0
        ? { clientNonce, proven: true, expiresAt: later(3_600) }
        : { clientNonce, proven: false, expiresAt: later(120) },
    );
    expect(found).toEqual([...records, undefined]);
  });

  test('sessions that are proven at the same moment each keep an end of their own', async () => {
    const handles = await insertMany(300, () => later(120));
    const proven = await Promise.all(handles.map((handle, i) => nonces.markProven(handle, later(3_600 + i))));
    expect(new Set(proven)).toEqual(new Set([true]));
    const found = await Promise.all(handles.map((handle) => nonces.find(handle)));
    expect(found.map((record) => record?.expiresAt)).toEqual(handles.map((_, i) => later(3_600 + i)));
  });

  test('a session that is proven already keeps its end, and the caller is told', async () => {
    const [handle] = await insertMany(1, () => later(120));
    await nonces.markProven(handle as Buffer, later(60));
    expect(await nonces.markProven(handle as Buffer, later(3_600))).toBe(false);
    expect(await nonces.find(handle as Buffer)).toMatchObject({ proven: true, expiresAt: later(60) });
  });

  test('a session that nobody has kept can be marked as proven without harm', async () => {
    await nonces.markProven(randomBytes(16), later(3_600));
    expect(await countRows()).toBe(0);
  });

  test('a purge deletes what has expired, proven or not, and nothing else', async () => {
    const [young, old, provenYoung, provenOld] = await insertMany(4, () => later(120));
    await nonces.markProven(provenYoung as Buffer, later(3_600));
    await nonces.markProven(provenOld as Buffer, later(60));
    await nonces.insert(randomBytes(16), newNonce(), later(59));
    expect(await nonces.purge(later(90), 1_000)).toBe(2);
    expect(await nonces.find(provenOld as Buffer)).toBeUndefined();
    for (const kept of [young, old, provenYoung]) expect(await nonces.find(kept as Buffer)).toBeDefined();
  });

  test('a flood of handshakes leaves a bounded table, and every proven session in it', async () => {
    const proven = await insertMany(50, () => later(1));
    await Promise.all(proven.map((handle) => nonces.markProven(handle, later(3_600))));
    const flood = await insertMany(5_000, (i) => later(100 + i / 1_000));
    expect(await nonces.purge(NOW, 1_500)).toBe(3_500);
    expect(await countRows()).toBe(1_550);
    for (const handle of proven) expect(await nonces.find(handle)).toMatchObject({ proven: true });
    // The oldest have gone.
    expect(await nonces.find(flood[3_499] as Buffer)).toBeUndefined();
    expect(await nonces.find(flood[3_500] as Buffer)).toBeDefined();
  });

  test('two purges at once delete everything once', async () => {
    await insertMany(3_000, () => later(1));
    const other = openDatabase(at.config);
    const deleted = await Promise.all([
      nonces.purge(later(2), 1_000),
      new SqlClientNonceStore(other.sql).purge(later(2), 1_000),
    ]);
    expect(deleted[0] + deleted[1]).toBe(3_000);
    expect(await countRows()).toBe(0);
    await other.messages.close();
  });

  test('a database that is away is reported as such', async () => {
    const closed = openDatabase(at.config);
    const closedNonces = new SqlClientNonceStore(closed.sql);
    await closed.messages.close();
    await expect(closedNonces.insert(randomBytes(16), newNonce(), NOW)).rejects.toThrow(StoreUnavailableError);
    await expect(closedNonces.find(randomBytes(16))).rejects.toThrow(StoreUnavailableError);
    await expect(closedNonces.markProven(randomBytes(16), NOW)).rejects.toThrow(StoreUnavailableError);
    await expect(closedNonces.purge(NOW, 1)).rejects.toThrow(StoreUnavailableError);
  });
}

describe('client nonces on SQLite', () => {
  suite(async () => {
    const folder = createTemporaryFolder();
    const config: StoreConfig = { client: 'better-sqlite3', filename: join(folder.path, 'test.sqlite') };
    return { config, drop: () => folder.remove() };
  });
});

describeWithMysql('client nonces on MySQL', () => {
  suite(() => createMysqlDatabase());
});
