import { CostAccounts } from '../src/verify/cost-accounts.js';
import { FairQueue, type FairQueueLimits, QueueFullError } from '../src/verify/fair-queue.js';

const ROOMY: FairQueueLimits = { waiting: 100, waitingPerSource: 100, waitMs: 60_000 };

/** Accounts with a clock that the test moves. */
function accountsAt(clock = { now: 0 }) {
  return { clock, accounts: new CostAccounts(() => clock.now) };
}

/** Pieces of work that cost 10 ms each and record their order. */
function recorder(queue: FairQueue, accounts: CostAccounts) {
  const order: string[] = [];
  const add = (source: string, name: string, expected = 10) =>
    queue.enter(source, expected, ({ runInTurn }) =>
      runInTurn(async () => {
        order.push(`${source}${name}`);
        accounts.charge(source, expected);
      }),
    );
  return { order, add };
}

/** Takes a turn that lasts until the test ends it. */
function held(queue: FairQueue, source: string) {
  let end: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { done: queue.enter(source, 10, ({ runInTurn }) => runInTurn(() => until)), end };
}

test('runs one piece at a time, alternates between sources, and keeps the order of each source', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue(ROOMY, accounts);
  const { order, add } = recorder(queue, accounts);
  await Promise.all([add('a', '1'), add('a', '2'), add('a', '3'), add('b', '1'), add('b', '2'), add('c', '1')]);
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});

test('runs cheap work before any amount of expensive work', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ ...ROOMY, waiting: 2_000 }, accounts);
  const { order, add } = recorder(queue, accounts);
  const dear = Array.from({ length: 1_000 }, (_, i) => add(`hostile ${i}`, '', 5_000));
  await Promise.all([...dear, add('honest', '', 10)]);
  expect(order.indexOf('honest')).toBeLessThanOrEqual(1);
});

test('runs the work of an expensive source last, until its cost has decayed', async () => {
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

test('counts wasted work more than useful work, and remembers useful work', () => {
  const { accounts } = accountsAt();
  for (const source of ['vain', 'used']) accounts.charge(source, 100);
  accounts.chargeWasted('vain', 100);
  accounts.recordUseful('used');
  expect(accounts.getStanding('vain')).toBeGreaterThan(3 * accounts.getStanding('used'));
  expect(accounts.getStanding('used')).toBeLessThan(accounts.getStanding('used before by nobody'));
  accounts.chargeWasted('used', 0);
  expect(accounts.getStanding('used')).toBeGreaterThan(accounts.getStanding('used before by nobody'));
});

test('lets other work run between the turns of one entry', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue(ROOMY, accounts);
  const order: string[] = [];
  const twice = (source: string) =>
    queue.enter(source, 10, async ({ runInTurn }) => {
      for (const name of ['1', '2']) {
        await runInTurn(async () => {
          order.push(`${source}${name}`);
          accounts.charge(source, 10);
        });
      }
    });
  await Promise.all([twice('a'), twice('b')]);
  expect(order.slice(0, 2)).toEqual(['a1', 'b1']);
  expect(order.slice(2).sort()).toEqual(['a2', 'b2']);
});

test('refuses too many entries of one source, and frees places also after a failure', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ ...ROOMY, waiting: 3, waitingPerSource: 2 }, accounts);
  const failing = (source: string) =>
    queue.enter(source, 10, ({ runInTurn }) => runInTurn(() => Promise.reject(new Error(source))));
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

test('evicts the last entry of a full queue, and never the running one', async () => {
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

test('rejects an entry that waits too long, and frees its place', async () => {
  const { accounts } = accountsAt();
  const queue = new FairQueue({ waiting: 2, waitingPerSource: 2, waitMs: 1 }, accounts);
  const first = held(queue, 'a');
  const { add } = recorder(queue, accounts);
  await expect(add('b', '1')).rejects.toBeInstanceOf(QueueFullError);
  first.end();
  await first.done;
  await add('b', '2');
});
