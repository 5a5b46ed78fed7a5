import { StatementQueue } from '../src/client/statement-queue.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A queue of at most one statement at a time, whose statements end when the test says so. */
function createQueue() {
  const statements: { items: readonly string[]; end(): void }[] = [];
  const givenUp: string[] = [];
  const queue = new StatementQueue<string>({
    maxBatchSize: 3,
    maxRunning: 1,
    run: (items) => new Promise((resolve) => statements.push({ items, end: resolve })),
    giveUp: (items) => givenUp.push(...items),
  });
  return { queue, statements, givenUp };
}

test('items that wait for a statement share the next one', async () => {
  const { queue, statements } = createQueue();
  queue.add('a');
  await turn();
  for (const item of ['b', 'c', 'd', 'e']) queue.add(item);
  await turn();
  expect(statements.map(({ items }) => items)).toEqual([['a']]);
  statements[0]?.end();
  await turn();
  statements[1]?.end();
  await turn();
  expect(statements.map(({ items }) => items)).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
});

test('items that have waited too long are given up, and younger ones still run', async () => {
  const { queue, statements, givenUp } = createQueue();
  const now = jest.spyOn(performance, 'now');
  try {
    now.mockReturnValue(0);
    queue.add('a');
    await turn();
    queue.add('b');
    now.mockReturnValue(6_000);
    queue.add('c');
    await turn();
    statements[0]?.end();
    await turn();
    expect(givenUp).toEqual(['b']);
    expect(statements.map(({ items }) => items)).toEqual([['a'], ['c']]);
  } finally {
    now.mockRestore();
  }
});
