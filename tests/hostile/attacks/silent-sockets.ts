import { WebsocketConnection } from '../wire/websocket-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const SOCKETS = 4_100;
const CONCURRENCY = 40;

/** Row 14: places for sockets without an identity, all held by one. */
export const silentSockets: Attack = {
  name: 'silent-sockets',
  does: '4,100 sockets that join the namespace and then say nothing',
  shapes: ANONYMOUS,
  async run(context) {
    const open = (i: number) => WebsocketConnection.open(context.live(i), context.source(i));
    const sockets: (WebsocketConnection | undefined)[] = await context.openInBatches(SOCKETS, CONCURRENCY, open);
    await context.begin();
    for (const socket of sockets) socket?.send('40');
    await context.repeat(CONCURRENCY, async (worker, turn) => {
      const index = worker + CONCURRENCY * (turn % Math.ceil(SOCKETS / CONCURRENCY));
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
