import { WebsocketConnection } from '../wire/websocket-wire.ts';
import type { Attack } from './attack.ts';

const ROOMS = 1_000;
/** 255 code points of four bytes are the longest name that there is. */
const LONG = '\u{1f4e8}'.repeat(250);
const SOCKETS = 4;

/** Row 10: the rooms of an identity are remembered for a day. */
export const joinNames: Attack = {
  name: 'join-names',
  does: '1,000 joins with names of 1 KB, by one identity after the other',
  shapes: [
    { addresses: 1, identities: 1_000 },
    { addresses: 40, identities: 1_000 },
  ],
  async run(context) {
    await context.begin();
    await context.repeat(SOCKETS, async (worker, turn) => {
      const index = worker + SOCKETS * turn;
      const client = context.client(index);
      const socket = await WebsocketConnection.proven(context.live(index), client, context.source(index));
      let answers = 0;
      const answered = new Promise<void>((resolve) => {
        socket.onEvent = ({ eventName }) => {
          if (!eventName.startsWith('join')) return;
          answers += 1;
          if (answers === ROOMS) resolve();
        };
      });
      for (let room = 0; room < ROOMS && socket.isOpen && !context.over; room++) {
        socket.event('joinRoom', `${client.identityKey}-${LONG}${room}`);
        if (room % 50 === 49) await context.pause(1);
      }
      await Promise.race([answered, socket.ended, context.pause(5_000)]);
      socket.destroy();
    });
  },
};
