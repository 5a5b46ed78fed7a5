import { PollingConnection } from '../wire/polling-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const CONCURRENCY = 8;

/** Row 13: a query that one parser takes for an old connection and another for a new one. */
export const emptySid: Attack = {
  name: 'empty-sid',
  does: 'new engine.io connections at full speed, with an empty sid in the query',
  shapes: ANONYMOUS,
  async run(context) {
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire) => {
      await PollingConnection.open(wire, '&sid=');
    });
  },
};
