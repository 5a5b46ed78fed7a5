import { WebsocketConnection } from '../wire/websocket-wire.ts';
import type { Attack } from './attack.ts';

const SOCKETS = 6;
const PER_SECOND = 137;
const ROOMS = 1_000;
const TICK_MS = 50;

/** Row 16: an event that is cheap to send and asks for a thousand rooms each time. */
export const authenticatedFlood: Attack = {
  name: 'authenticated-flood',
  does: '137 `authenticated` events per second on each of six sockets, of an identity with 1,000 rooms',
  shapes: [{ addresses: 1, identities: 1 }],
  async run(context) {
    const client = context.client(0);
    const sockets: WebsocketConnection[] = [];
    for (let i = 0; i < SOCKETS; i++) {
      sockets.push(await WebsocketConnection.proven(context.live(i), client, context.source(i)));
    }
    const [first] = sockets;
    let answers = 0;
    const joined = new Promise<void>((resolve) => {
      if (first === undefined) return;
      first.onEvent = ({ eventName }) => {
        if (eventName.startsWith('join')) answers += 1;
        if (answers === ROOMS) resolve();
      };
    });
    for (let room = 0; room < ROOMS; room++) {
      first?.event('joinRoom', `${client.identityKey}-room ${room}`);
      if (room % 50 === 49) await context.pause(20);
    }
    await Promise.race([joined, context.pause(10_000)]);
    await context.begin();
    await context.repeat(SOCKETS, async (worker) => {
      let socket = sockets[worker];
      if (socket === undefined || !socket.isOpen) {
        socket = await WebsocketConnection.proven(context.live(worker), client, context.source(worker));
        sockets[worker] = socket;
      }
      for (let i = 0; i < (PER_SECOND * TICK_MS) / 1_000; i++) {
        socket.event('authenticated', { identityKey: client.identityKey });
      }
      await context.pause(TICK_MS);
    });
  },
};
