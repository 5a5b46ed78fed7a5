import { ANONYMOUS, type Attack } from './attack.ts';

const PATH = `/${'p'.repeat(90_000)}`;
const CONCURRENCY = 4;

/** Row 20: what strangers write into the log. */
export const longPaths: Attack = {
  name: 'long-paths',
  does: 'requests with paths of 90 KB and without authentication',
  shapes: ANONYMOUS,
  async run(context) {
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire) => {
      await wire.exchange({ method: 'GET', path: PATH, headers: [] });
    });
  },
};
