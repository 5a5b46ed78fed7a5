import { FairQueue, QueueFullError } from '../src/verify/fair-queue.js';

/** Pieces of work that end in their order, each written down. */
function recorder(queue: FairQueue) {
  const order: string[] = [];
  const add = (key: string, name: string) =>
    queue.enter(key, ({ turn }) => turn(async () => void order.push(`${key}${name}`)));
  return { order, add };
}

test('one at a time; keys take turns, and one key’s keep their order', async () => {
  const queue = new FairQueue({ waiting: 100, waitingOfOne: 100 });
  const { order, add } = recorder(queue);
  await Promise.all([add('a', '1'), add('a', '2'), add('a', '3'), add('b', '1'), add('b', '2'), add('c', '1')]);
  expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
});

test('work of several turns lets others in between', async () => {
  const queue = new FairQueue({ waiting: 10, waitingOfOne: 10 });
  const order: string[] = [];
  const twice = (key: string) =>
    queue.enter(key, async ({ turn }) => {
      await turn(async () => void order.push(`${key}1`));
      await turn(async () => void order.push(`${key}2`));
    });
  await Promise.all([twice('a'), twice('b')]);
  expect(order.slice(0, 2)).toEqual(['a1', 'b1']);
  expect(order.slice(2).sort()).toEqual(['a2', 'b2']);
});

test('too many altogether, or of one key; places are given back, also by what fails', async () => {
  const queue = new FairQueue({ waiting: 3, waitingOfOne: 2 });
  const failing = (key: string) => queue.enter(key, ({ turn }) => turn(() => Promise.reject(new Error(key))));
  const results = await Promise.allSettled([failing('a'), failing('a'), failing('a'), failing('b'), failing('c')]);
  const reasons = results.map((result) => (result as PromiseRejectedResult).reason);
  expect(reasons.map((reason) => (reason instanceof QueueFullError ? 'full' : reason.message))).toEqual([
    'a',
    'a',
    'full',
    'b',
    'full',
  ]);
  const { order, add } = recorder(queue);
  await Promise.all([add('a', '1'), add('c', '1')]);
  expect(order).toEqual(['a1', 'c1']);
});
