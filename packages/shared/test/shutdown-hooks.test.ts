import { pino } from 'pino';
import { ShutdownHooks } from '../src/process/shutdown-hooks.js';

const silent = pino({ level: 'silent' });

test('runs each step once, in reverse order, even when another step fails', async () => {
  const hooks = new ShutdownHooks(silent, 1_000);
  const ran: string[] = [];
  hooks.add('first', () => ran.push('first'));
  hooks.add('second', async () => {
    ran.push('second');
    throw new Error('broken');
  });
  hooks.add('third', () => {
    ran.push('third');
    throw new Error('broken, too');
  });
  await Promise.all([hooks.close(), hooks.close()]);
  expect(ran).toEqual(['third', 'second', 'first']);
});

test('runs the other steps when one step never ends', async () => {
  const hooks = new ShutdownHooks(silent, 0);
  const ran: string[] = [];
  hooks.add('first', () => ran.push('first'));
  hooks.add('hung', () => new Promise(() => undefined));
  await hooks.close();
  expect(ran).toEqual(['first']);
});
