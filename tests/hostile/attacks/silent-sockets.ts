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
    const open = (i: number) => WebsocketWire.open(context.live(i), context.source(i));
    const sockets: (WebsocketWire | undefined)[] = await context.together(SOCKETS, AT_ONCE, open);
    await context.begin();
    for (const socket of sockets) socket?.send('40');
    await context.repeat(AT_ONCE, async (worker, turn) => {
      const index = worker + AT_ONCE * (turn % Math.ceil(SOCKETS / AT_ONCE));
      if (sockets[index]?.isOpen) {
        await context.pause(50);
        return;
      }
      const socket = await open(index);
      sockets[index] = socket;
      socket.send('40');
    });
  },
};
