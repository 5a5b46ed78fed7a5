import type { HttpConnection } from '../wire/http-wire.ts';
import type { Attack } from './attack.ts';

const BODIES = 8;
const BODY_CHARACTERS = 4_000_000;
const LISTS = 40;

/** Row 4: answers that are put together and never taken. */
export const unreadLists: Attack = {
  name: 'unread-lists',
  does: '40 lists of a box of 32 MB, whose answers are never read',
  shapes: [
    { addresses: 1, identities: 1 },
    { addresses: 40, identities: 1 },
  ],
  async run(context) {
    const [session] = await context.sessions();
    if (session === undefined) throw new Error('no session');
    const recipient = session.client.identityKey;
    const filling = await context.openHttp(0);
    for (let i = 0; i < BODIES; i++) {
      const message = { recipient, messageBox: 'full', messageId: `full-${i}`, body: 'l'.repeat(BODY_CHARACTERS) };
      await filling.exchange(session.post('/sendMessage', { message }));
    }
    filling.destroy();
    await context.begin();
    const wires: HttpConnection[] = [];
    await context.repeat(LISTS, async (worker) => {
      if (wires[worker]?.isOpen) {
        await context.pause(50);
        return;
      }
      const wire = await context.openHttp(worker);
      wires[worker] = wire;
      wire.stopReading();
      wire.post(session.post('/listMessages', { messageBox: 'full' }));
    });
  },
};
