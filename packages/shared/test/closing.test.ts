import { pino } from 'pino';
import { Closing } from '../src/process/closing.js';

const silent = pino({ level: 'silent' });

test('steps run in reverse order, once, each even when another fails', async () => {
  const closing = new Closing(silent, 1_000);
  const ran: string[] = [];
  closing.add('first', () => ran.push('first'));
  closing.add('second', async () => {
    ran.push('second');
    throw new Error('broken');
  });
  closing.add('third', () => {
    ran.push('third');
    throw new Error('broken, too');
  });
  await Promise.all([closing.close(), closing.close()]);
  expect(ran).toEqual(['third', 'second', 'first']);
});

test('a step that never ends does not keep the others from running', async () => {
  const closing = new Closing(silent, 0);
  const ran: string[] = [];
  closing.add('first', () => ran.push('first'));
  closing.add('hung', () => new Promise(() => undefined));
  await closing.close();
  expect(ran).toEqual(['first']);
});
