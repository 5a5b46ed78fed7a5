import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, RateLimits, RedisCounts, RedisStandIns } from '@messagebox/shared';
import { Redis } from 'ioredis';
import { waitUntil } from '../acceptance/history.js';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';

/** The rights that docs/runbook.md asks for a Redis user: the first line, which is for every service. */
function documentedRules(): string[] {
  const text = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');
  const [, rules = ''] = /^user messagebox on >PASSWORD (.*)$/m.exec(text) ?? [];
  return rules.split(' ');
}

describeWithManagedRedis('a user with the documented rights', () => {
  let redis: ManagedServer;
  beforeAll(async () => {
    redis = (await startRedisServer()) as ManagedServer;
  });
  afterAll(() => redis.close());

  /** The administrator, and the user whose rights are tested. */
  async function connect(): Promise<{ admin: Redis; commands: Redis }> {
    const admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', 'messagebox', 'on', '>secret', ...documentedRules());
    const commands = new Redis(redis.url, { username: 'messagebox', password: 'secret', enableReadyCheck: false });
    return { admin, commands };
  }

  test('may keep sessions while the database takes no writes', async () => {
    const { admin, commands } = await connect();
    try {
      const standIns = new RedisStandIns(commands, 'messagebox', { unproven: 1, proven: 1, claims: 1 });
      const [first, second] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
      const end = new Date(Date.now() + 60_000);
      for (const handle of [first, second]) {
        await standIns.insert(handle, 'nonce', end);
        expect(await standIns.markProven(handle, end)).toBe(true);
        expect(await standIns.claim(handle, Buffer.alloc(32, 3))).toBe('first');
      }
      expect(await standIns.find(second)).toMatchObject({ clientNonce: 'nonce', proven: true });
      expect(await standIns.claim(second, Buffer.alloc(32, 4))).toBe('gone');
      expect(await admin.keys('messagebox:stand-in:*')).toEqual([]);
    } finally {
      commands.disconnect();
      admin.disconnect();
    }
  });

  test('may share rates', async () => {
    const { admin, commands } = await connect();
    const lines: string[] = [];
    const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
    const rates = new RateLimits({ onHit: () => {}, counts: new RedisCounts(commands, 'messagebox', log) });
    try {
      await rates.openShared('sends', { count: 100, seconds: 60 }).admit('alice', 50);
      const told = async () => (await admin.get('messagebox:rate:sends:alice')) === '50';
      await waitUntil('it is told, or refused', async () => lines.length > 0 || (await told()));
      expect(lines).toEqual([]);
    } finally {
      rates.close();
      commands.disconnect();
      admin.disconnect();
    }
  });
});
