import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  dynamic,
  MessageBoxAdvertisements,
  openDatabase,
  type Sql,
  type SqlRow,
  type SqlRunner,
} from '@messagebox/store';
import { ServiceAds } from '../src/lookups/service-ads.js';
import { engineSuite } from './engine-suite.js';

engineSuite('engine on SQLite', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mb-engine-'));
  return {
    config: { client: 'better-sqlite3' as const, filename: path.join(folder, 'overlay.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});

test('each lookup reads an index in its order, without a scan or a sort', async () => {
  const { sql, messages } = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await messages.migrate();
  const plans: string[] = [];
  const explaining: SqlRunner = {
    async read({ text }: Sql, values): Promise<SqlRow[]> {
      const steps = await sql.read(dynamic(`EXPLAIN QUERY PLAN ${text}`), values);
      plans.push(steps.map((step) => String(step['detail'])).join('; '));
      return [];
    },
    write: (...call) => sql.write(...call),
  };
  const ads = new MessageBoxAdvertisements(explaining);
  for (const query of [{}, { identityKey: 'k' }, { host: 'h' }, { identityKey: 'k', host: 'h' }])
    await ads.find(query, 10);
  const services = new ServiceAds(explaining);
  for (const query of [{}, { names: ['tm_x'] }, { domain: 'd' }, { identityKey: 'k' }])
    await services.find('SHIP', query, 10);
  expect(plans).toHaveLength(8);
  for (const plan of plans) {
    expect(plan).toMatch(/USING INDEX overlay_\w+_index/);
    expect(plan).not.toContain('TEMP B-TREE');
  }
  await messages.close();
});
