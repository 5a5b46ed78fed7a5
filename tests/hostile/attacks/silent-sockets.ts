import { WebsocketWire } from '../wire/websocket-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const SOCKETS = 4_100;
const AT_ONCE = 40;

/** Row 14: places for sockets without an identity, all held by one. */
export const silentSockets: Attack = {
  name: 'silent-sockets',
  does: '4,100 sockets that join the namespace and then say nothing',
  shapes: ANONYMOUS,
  async run(context) {
    await context.begin();
    const sockets: WebsocketWire[] = [];
    await context.repeat(AT_ONCE, async (worker, turn) => {
      const index = worker + AT_ONCE * (turn % Math.ceil(SOCKETS / AT_ONCE));
      if (sockets[index]?.isOpen) {
        await context.pause(50);
        return;
      }
      const socket = await WebsocketWire.open(context.live(index), context.source(index));
      sockets[index] = socket;
      socket.send('40');
    });
  },
};
