import { Health } from '../src/health/health.js';

test('is ready when all needed checks pass, and reports the problems of the others', async () => {
  const health = new Health();
  health.add('database', () => undefined);
  health.add('redis', () => 'connection is reconnecting', false);
  expect(await health.report()).toEqual({
    status: 'ready',
    checks: { database: 'ok', redis: 'connection is reconnecting' },
  });
});

test('is not ready when a needed check reports a problem or throws', async () => {
  const health = new Health();
  health.add('schema', () => 'is old');
  health.add('database', async () => {
    throw new Error('no answer');
  });
  expect(await health.report()).toEqual({ status: 'not ready', checks: { schema: 'is old', database: 'no answer' } });
});

test('is not ready once it drains', async () => {
  const health = new Health();
  health.add('database', () => undefined);
  health.drain();
  expect(await health.report()).toEqual({ status: 'not ready', checks: { database: 'ok', process: 'is stopping' } });
});
