import { once } from 'node:events';
import { encodeFrameHeader, WebsocketConnection } from '../wire/websocket-wire.ts';
import type { Attack } from './attack.ts';

const SOCKETS = 60;
const FRAME_BYTES = 12_500_000;
const CHUNK = Buffer.alloc(64 * 1_024, '7');

/** Row 17: each socket is within its bound, and all together are not. */
export const unfinishedFrames: Attack = {
  name: 'unfinished-frames',
  does: '60 sockets, each with all but the end of a frame of 12.5 MB',
  shapes: [
    { addresses: 1, identities: 1 },
    { addresses: 40, identities: 1_000 },
  ],
  async run(context) {
    const sockets: WebsocketConnection[] = [];
    for (let i = 0; i < SOCKETS; i++) {
      sockets.push(await WebsocketConnection.proven(context.live(i), context.client(i), context.source(i)));
    }
    await context.begin();
    await context.repeat(SOCKETS, async (worker) => {
      let socket = sockets[worker];
      if (socket === undefined || !socket.isOpen) {
        socket = await WebsocketConnection.proven(context.live(worker), context.client(worker), context.source(worker));
        sockets[worker] = socket;
      }
      socket.socket.write(encodeFrameHeader(FRAME_BYTES));
      for (let sent = 0; sent + CHUNK.length < FRAME_BYTES && socket.isOpen && !context.over; sent += CHUNK.length) {
        if (!socket.socket.write(CHUNK)) await Promise.race([once(socket.socket, 'drain'), socket.ended]);
      }
      await Promise.race([socket.ended, context.waitUntilOver()]);
      await context.pause(100);
    });
  },
};
