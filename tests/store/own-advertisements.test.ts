import { join } from 'node:path';
import {
  type DatabaseHandle,
  dynamic,
  OwnAdvertisements,
  openDatabase,
  type StoreConfig,
  StoreUnavailableError,
} from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';

interface Fixture {
  readonly config: StoreConfig;
  drop(): unknown;
}

function suite(fixture: () => Promise<Fixture>): void {
  let at: Fixture;
  let database: DatabaseHandle;
  beforeAll(async () => {
    at = await fixture();
    database = openDatabase(at.config);
    await database.messages.migrate();
  });
  afterAll(async () => {
    await database.messages.close();
    await at.drop();
  });

  test('lists those that live, oldest first, as they were written', async () => {
    const ads = new OwnAdvertisements(database.sql);
    expect(await ads.list()).toEqual([]);
    const rows = [
      { txid: 'aa'.repeat(32), index: 0, protocol: 'SHIP', name: 'tm_messagebox', revokedBy: null },
      { txid: 'aa'.repeat(32), index: 1, protocol: 'SLAP', name: 'ls_messagebox', revokedBy: 'cc'.repeat(32) },
      { txid: `00${'bb'.repeat(31)}`, index: 2, protocol: 'SLAP', name: 'ls_messagebox', revokedBy: null },
    ];
    for (const row of rows) {
      await database.sql.write(
        dynamic(
          `INSERT INTO overlay_own_ads (txid, output_index, protocol, name, domain, created_at, revoked_by)
           VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ),
        [
          Buffer.from(row.txid, 'hex'),
          row.index,
          Buffer.from(row.protocol),
          Buffer.from(row.name),
          Buffer.from('https://bücher.example'),
          1_790_000_000_123 + row.index,
          row.revokedBy === null ? null : Buffer.from(row.revokedBy, 'hex'),
        ],
      );
    }
    const live = rows.filter(({ revokedBy }) => revokedBy === null);
    expect(await ads.list()).toEqual(
      live.map(({ protocol, name, txid, index }) => ({
        protocol,
        name,
        domain: 'https://bücher.example',
        txid,
        outputIndex: index,
        createdAt: new Date(1_790_000_000_123 + index),
      })),
    );
  });

  test('a database without the table is a store that is not available', async () => {
    await database.sql.knex.schema.renameTable('overlay_own_ads', 'elsewhere');
    await expect(new OwnAdvertisements(database.sql).list()).rejects.toThrow(StoreUnavailableError);
  });
}

describe('own advertisements on SQLite', () => {
  suite(async () => {
    const folder = createTemporaryFolder();
    return {
      config: { client: 'better-sqlite3', filename: join(folder.path, 'db.sqlite') },
      drop: () => folder.remove(),
    };
  });
});

describeWithMysql('own advertisements on MySQL or MariaDB', () => suite(createMysqlDatabase));
