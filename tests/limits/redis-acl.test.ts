import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createLogger, RateLimits, RedisCounts } from '../../packages/shared/src/index.js';
import { until } from '../acceptance/history.js';
import { describeWithOwnRedis, type OwnServer, startRedis } from '../support/servers.js';

/** What docs/operating.md says that a user of Redis must be allowed: its first line, which holds for every service. */
function documentedRules(): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs/operating.md'), 'utf8');
  const [, rules = ''] = /^user messagebox on >PASSWORD (.*)$/m.exec(text) ?? [];
  return rules.split(' ');
}

describeWithOwnRedis('a user with the documented rights', () => {
  let redis: OwnServer;
  beforeAll(async () => {
    redis = (await startRedis()) as OwnServer;
  });
  afterAll(() => redis.close());

  test('may share rates', async () => {
    const admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', 'messagebox', 'on', '>secret', ...documentedRules());
    const commands = new Redis(redis.url, { username: 'messagebox', password: 'secret', enableReadyCheck: false });
    const lines: string[] = [];
    const log = createLogger('test', false, { write: (line) => void lines.push(line) });
    const rates = new RateLimits({ onHit: () => {}, counts: new RedisCounts(commands, 'messagebox', log) });
    try {
      await rates.openShared('sends', { count: 100, seconds: 60 }).admit('alice', 50);
      const told = async () => (await admin.get('messagebox:rate:sends:alice')) === '50';
      await until('it is told, or refused', async () => lines.length > 0 || (await told()));
      expect(lines).toEqual([]);
    } finally {
      rates.close();
      commands.disconnect();
      admin.disconnect();
    }
  });
});
