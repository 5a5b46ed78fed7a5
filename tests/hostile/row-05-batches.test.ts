import { FairScheduler } from '@messagebox/shared';
import { openDatabase } from '@messagebox/store';
import { RawClient } from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed } from '../bad-input/refusals.ts';

/** A little request must not make the server write much, nor keep it from everybody else. */
describe('a send to many recipients', () => {
  let world: HttpTestBed;
  beforeAll(async () => {
    world = await HttpTestBed.start();
  });
  afterAll(() => world.close());

  const sendTo = async (count: number) => {
    const recipients = Array.from({ length: count }, () => new RawClient().identityKey);
    const message = { recipients, messageBox: 'inbox', messageId: recipients.map(createUniqueId), body: 'x' };
    const run = jest.spyOn(FairScheduler.prototype, 'run');
    await world.expectAccepted(world.sendMessage({ message }));
    const cost = run.mock.calls.reduce((sum, [_source, _work, alsoMs = 0]) => sum + alsoMs, 0);
    run.mockRestore();
    return cost;
  };

  test('costs its sender a tenth of a millisecond for each further one', async () => {
    expect(await sendTo(100)).toBeCloseTo((await sendTo(1)) + 9.9, 5);
  });
});

test('the event loop goes on while SQLite stores many batches one after the other', async () => {
  const { messages: store } = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await store.migrate();
  let isOver = false;
  let turns = 0;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  const batches = Array.from({ length: 40 }, (_, batch) =>
    Array.from({ length: 100 }, (_, i) => ({
      recipient: `${batch} ${i}`,
      sender: 'sender',
      messageBox: 'inbox',
      messageId: 'id',
      body: 'x'.repeat(2_000),
    })),
  );
  setImmediate(count);
  for (const batch of batches) await store.storeMessages(batch);
  isOver = true;
  // Each batch takes longer than its share of a turn.
  expect(turns).toBeGreaterThan(batches.length / 2);
  await store.close();
});
