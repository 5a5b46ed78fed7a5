import { CostAccounts } from '../src/verify/cost-accounts.js';
import { FairQueue, type FairQueueLimits, QueueFullError } from '../src/verify/fair-queue.js';

const ROOMY: FairQueueLimits = { waiting: 100, waitingOfOne: 100, waitMs: 60_000 };

/** Accounts whose clock stands still until a test moves it. */
function accountsAt(clock = { now: 0 }) {
  return { clock, accounts: new CostAccounts(() => clock.now) };
}

/** Pieces of work that each cost 10 ms, and are written down in the order in which they are done. */
function recorder(queue: FairQueue, accounts: CostAccounts) {
  const order: string[] = [];
  const add = (source: string, name: string, expected = 10) =>
    queue.enter(source, expected, ({ turn }) =>
      turn(async () => {
        order.push(`${source}${name}`);
        accounts.charge(source, expected);
      }),
    );
  return { order, add };
}

/** A turn that lasts until the test ends it. */
function held(queue: FairQueue, source: string) {
  let end: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { done: queue.enter(source, 10, ({ turn }) => turn(() => until)), end };
}

test('one piece at a time; sources take turns, and the pieces of one source keep their order', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue(ROOMY, accounts);
  const { order, add } = recorder(queue, accounts);
  await Promise.all([add('a', '1'), add('a', '2'), add('a', '3'), add('b', '1'), add('b', '2'), add('c', '1')]);
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('who asks for something cheap goes before all who ask for something dear, however many they are', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ ...ROOMY, waiting: 2_000 }, accounts);
  const { order, add } = recorder(queue, accounts);
  const dear = Array.from({ length: 1_000 }, (_, i) => add(`hostile ${i}`, '', 5_000));
  await Promise.all([...dear, add('honest', '', 10)]);
  expect(order.indexOf('honest')).toBeLessThanOrEqual(1);
});

test('who has cost much lately waits until others are done, and some time later no more', async () => {
  const { accounts, clock } = accountsAt();
  const queue = new FairQueue(ROOMY, accounts);
  accounts.charge('a', 1_000);
  const { order, add } = recorder(queue, accounts);
  await Promise.all([add('x', ''), add('a', '1'), add('b', '1'), add('b', '2')]);
  expect(order).toEqual(['x', 'b1', 'b2', 'a1']);
  clock.now += 3_600_000;
  await Promise.all([add('x', ''), add('a', '2'), add('b', '3')]);
  expect(order.slice(4)).toEqual(['x', 'a2', 'b3']);
});

test('work in vain weighs more than the same work that was of use, and use is remembered', () => {
  const { accounts } = accountsAt();
  for (const source of ['vain', 'used']) accounts.charge(source, 100);
  accounts.chargeInVain('vain', 100);
  accounts.commend('used');
  expect(accounts.standingOf('vain')).toBeGreaterThan(3 * accounts.standingOf('used'));
  expect(accounts.standingOf('used')).toBeLessThan(accounts.standingOf('used before by nobody'));
  accounts.chargeInVain('used', 0);
  expect(accounts.standingOf('used')).toBeGreaterThan(accounts.standingOf('used before by nobody'));
});

test('work of several turns lets others in between', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue(ROOMY, accounts);
  const order: string[] = [];
  const twice = (source: string) =>
    queue.enter(source, 10, async ({ turn }) => {
      for (const name of ['1', '2']) {
        await turn(async () => {
          order.push(`${source}${name}`);
          accounts.charge(source, 10);
        });
      }
    });
  await Promise.all([twice('a'), twice('b')]);
  expect(order.slice(0, 2)).toEqual(['a1', 'b1']);
  expect(order.slice(2).sort()).toEqual(['a2', 'b2']);
});

test('too many of one source are refused; places are given back, also by what fails', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ ...ROOMY, waiting: 3, waitingOfOne: 2 }, accounts);
  const failing = (source: string) =>
    queue.enter(source, 10, ({ turn }) => turn(() => Promise.reject(new Error(source))));
  const results = await Promise.allSettled([failing('a'), failing('a'), failing('a'), failing('b')]);
  const reasons = results.map((result) => (result as PromiseRejectedResult).reason);
  expect(reasons.map((reason) => (reason instanceof QueueFullError ? 'full' : reason.message))).toEqual([
    'a',
    'a',
    'full',
    'b',
  ]);
  const { order, add } = recorder(queue, accounts);
  await Promise.all([add('a', '1'), add('c', '1')]);
  expect(order).toEqual(['a1', 'c1']);
});

test('in a full queue the one who would be last gives way, and never the one whose turn it is', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ ...ROOMY, waiting: 3 }, accounts);
  const first = held(queue, 'hostile');
  const { order, add } = recorder(queue, accounts);
  const waiting = [add('hostile', '1', 500), add('hostile', '2', 500)];
  const results = Promise.allSettled(waiting);
  const honest = add('honest', '1');
  await expect(add('hostile', '3', 500)).rejects.toBeInstanceOf(QueueFullError);
  first.end();
  await Promise.all([first.done, honest]);
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(order).toEqual(['honest1', 'hostile1']);
});

test('what waits too long is turned away, and its place is free', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ waiting: 2, waitingOfOne: 2, waitMs: 1 }, accounts);
  const first = held(queue, 'a');
  const { add } = recorder(queue, accounts);
  await expect(add('b', '1')).rejects.toBeInstanceOf(QueueFullError);
  first.end();
  await first.done;
  await add('b', '2');
});
