import { TurnSpreader } from '../src/admission/turn-spreader.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const spreader = new TurnSpreader({ perKey: 2, later: 3 });
  const done: string[] = [];
  const ask = (key: string, count: number) => {
    for (let i = 1; i <= count; i++) spreader.run(key, () => done.push(`${key}${i}`));
  };
  const takeDone = () => done.splice(0);
  return { ask, takeDone };
}

test('a little of each key is done at once', () => {
  const { ask, takeDone } = setUp();
  for (const key of ['a', 'b', 'c', 'd']) ask(key, 2);
  expect(takeDone()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2']);
});

test('the rest is done in later turns, in which keys alternate, and nobody else waits for it', async () => {
  const { ask, takeDone } = setUp();
  ask('a', 7);
  ask('b', 3);
  expect(takeDone()).toEqual(['a1', 'a2', 'b1', 'b2']);
  await turn();
  expect(takeDone()).toEqual(['a3', 'b3', 'a4']);
  ask('c', 1);
  expect(takeDone()).toEqual(['c1']);
  await turn();
  expect(takeDone()).toEqual(['a5', 'a6', 'a7']);
});

test('work that comes while other work of its key waits does not overtake it', async () => {
  const { ask, takeDone } = setUp();
  ask('a', 6);
  await turn();
  ask('a', 1);
  expect(takeDone()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  await turn();
  expect(takeDone()).toEqual(['a6', 'a1']);
});
