import { TurnBudget } from '../src/client/turn-budget.js';

let now = 0;
const take = (ms: number) => () => {
  now += ms;
};

test('little work in one turn lets more work begin at once', async () => {
  const budget = new TurnBudget(() => now);
  let turns = 0;
  setImmediate(() => {
    turns += 1;
  });
  await budget.run(take(1));
  await budget.run(take(2));
  expect(await budget.run(() => 'result')).toBe('result');
  expect(turns).toBe(0);
});

test('after much work in one turn, more work begins in the next one', async () => {
  const budget = new TurnBudget(() => now);
  let turns = 0;
  setImmediate(() => {
    turns += 1;
  });
  await budget.run(take(3));
  await budget.run(take(3));
  expect(turns).toBe(0);
  await budget.run(take(1));
  expect(turns).toBe(1);
  await budget.run(take(1));
  expect(turns).toBe(1);
});

test('of several that wait, the second waits again when the first has used the turn', async () => {
  const budget = new TurnBudget(() => now);
  await budget.run(take(5));
  const order: string[] = [];
  const work = (name: string) =>
    budget.run(() => {
      order.push(name);
      setImmediate(() => order.push(`turn after ${name}`));
      now += 5;
    });
  await Promise.all([work('first'), work('second')]);
  expect(order).toEqual(['first', 'turn after first', 'second']);
});

test('work that throws counts too', async () => {
  const budget = new TurnBudget(() => now);
  let turns = 0;
  setImmediate(() => {
    turns += 1;
  });
  const work = () => {
    now += 5;
    throw new Error('no');
  };
  await expect(budget.run(work)).rejects.toThrow('no');
  expect(turns).toBe(0);
  await budget.run(take(1));
  expect(turns).toBe(1);
});
