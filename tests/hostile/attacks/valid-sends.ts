import { randomBytes } from 'node:crypto';
import { type Attack, BY_IDENTITY } from './attack.ts';

const CONCURRENCY = 16;

/** Nothing wrong with any of them: there are only very many. */
export const validSends: Attack = {
  name: 'valid-sends',
  does: 'valid sends at full speed, 16 at a time',
  shapes: BY_IDENTITY,
  async run(context) {
    const sessions = await context.sessions();
    const recipient = context.client(0).identityKey;
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire, worker, turn) => {
      const session = sessions[(worker + turn * CONCURRENCY) % sessions.length];
      if (session === undefined) throw new Error('no session');
      const message = {
        recipient,
        messageBox: 'fast',
        messageId: randomBytes(12).toString('hex'),
        body: 'v'.repeat(300),
      };
      await wire.exchange(session.post('/sendMessage', { message }));
    });
  },
};
