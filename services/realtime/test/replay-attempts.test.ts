import { ReplayAttempts } from '../src/replay/replay-attempts.js';

const large = (cursor: string) => ({ cursor, body: 'x'.repeat(65_537) });

test('a large message is admitted three times for each identity', () => {
  const attempts = new ReplayAttempts();
  const take = (identityKey: string) => attempts.take(identityKey, large('7'));
  expect([take('alice'), take('alice'), take('alice'), take('alice')]).toEqual([true, true, true, false]);
  expect(take('bob')).toBe(true);
  expect(attempts.take('alice', large('8'))).toBe(true);
});

test('a message of up to 64 KiB is always admitted', () => {
  const attempts = new ReplayAttempts();
  for (let i = 0; i < 10; i++) expect(attempts.take('alice', { cursor: '7', body: 'x'.repeat(65_536) })).toBe(true);
});
