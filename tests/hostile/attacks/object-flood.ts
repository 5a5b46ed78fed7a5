import { randomBytes } from 'node:crypto';
import { type Attack, BY_IDENTITY } from './attack.ts';

const BYTES = 10_000_000;
const CONCURRENCY = 8;

/** Row 11: text that takes thirty times its size once it is parsed. */
export const objectFlood: Attack = {
  name: 'object-flood',
  does: 'sends whose body is 10 MB of {}, eight at a time',
  shapes: BY_IDENTITY,
  async run(context) {
    const sessions = await context.sessions(CONCURRENCY);
    const recipient = context.client(0).identityKey;
    const objects = `[${'{},'.repeat(Math.floor((BYTES - 500) / 3))}{}]`;
    const make = (worker: number) => {
      const session = sessions[worker % sessions.length];
      if (session === undefined) throw new Error('no session');
      const head = JSON.stringify({ recipient, messageBox: 'objects', messageId: randomBytes(8).toString('hex') });
      return session.post('/sendMessage', `{"message":${head.slice(0, -1)},"body":{"objects":${objects}}}}`);
    };
    // The first ones are ready to be sent, since signing 10 MB takes a while.
    const first = Array.from({ length: CONCURRENCY }, (_, worker) => make(worker));
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire, worker) => {
      const request = first[worker] ?? make(worker);
      delete first[worker];
      await wire.exchange(request);
    });
  },
};
