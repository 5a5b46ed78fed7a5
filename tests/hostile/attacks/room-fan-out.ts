import { WebsocketConnection } from '../wire/websocket-wire.ts';
import type { Attack } from './attack.ts';

const SOCKETS = 30;
/** The largest body that was pushed at 2206bd9, and the largest that clients of today take. */
const BODY_CHARACTERS = [2_000_000, 1_040_000];
const SEND_INTERVAL_MS = 1_000;

/** Row 3: a message is signed and written once for each socket of its room. */
export const roomFanOut: Attack = {
  name: 'room-fan-out',
  does: 'a message of 2 MB, and then one of 1 MB each second, to a room with 30 of its own sockets',
  shapes: [{ addresses: 1, identities: 1 }],
  async run(context) {
    const client = context.client(0);
    const [session] = await context.sessions();
    if (session === undefined) throw new Error('no session');
    const roomId = `${client.identityKey}-wide`;
    for (let i = 0; i < SOCKETS; i++) {
      const socket = await WebsocketConnection.proven(context.live(i), client, context.source(i));
      const joined = new Promise<void>((resolve) => {
        socket.onEvent = ({ eventName }) => (eventName.startsWith('join') ? resolve() : undefined);
      });
      socket.event('joinRoom', roomId);
      await joined;
      socket.stopReading();
    }
    await context.begin();
    await context.repeatOnWires(1, async (wire, _worker, turn) => {
      const body = 'f'.repeat(BODY_CHARACTERS[Math.min(turn, 1)] ?? 0);
      const message = { recipient: client.identityKey, messageBox: 'wide', messageId: `${Math.random()}`, body };
      await wire.exchange(session.post('/sendMessage', { message }));
      await context.pause(SEND_INTERVAL_MS);
    });
  },
};
