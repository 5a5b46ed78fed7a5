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
  budget.run(take(1));
  budget.run(take(2));
  await budget.wait();
  expect(turns).toBe(0);
});

test('after much work in one turn, more work begins in the next one', async () => {
  const budget = new TurnBudget(() => now);
  let turns = 0;
  setImmediate(() => {
    turns += 1;
  });
  budget.run(take(3));
  budget.run(take(3));
  await budget.wait();
  expect(turns).toBe(1);
  budget.run(take(1));
  await budget.wait();
  expect(turns).toBe(1);
});

test('of several that wait, the second waits again when the first has used the turn', async () => {
  const budget = new TurnBudget(() => now);
  budget.run(take(5));
  const order: string[] = [];
  const work = async (name: string) => {
    await budget.wait();
    order.push(name);
    setImmediate(() => order.push(`turn after ${name}`));
    budget.run(take(5));
  };
  await Promise.all([work('first'), work('second')]);
  expect(order).toEqual(['first', 'turn after first', 'second']);
});

test('work that throws counts too', async () => {
  const budget = new TurnBudget(() => now);
  const fail = () => {
    now += 5;
    throw new Error('no');
  };
  let turns = 0;
  setImmediate(() => {
    turns += 1;
  });
  expect(() => budget.run(fail)).toThrow('no');
  await budget.wait();
  expect(turns).toBe(1);
});
