import { type Attack, BY_IDENTITY } from './attack.ts';

const IDS = 1_000_000;
const CONCURRENCY = 4;

/** Row 12: a list without a bound. */
export const acknowledgementFlood: Attack = {
  name: 'acknowledgement-flood',
  does: 'acknowledgements of a million ids each, four at a time',
  shapes: BY_IDENTITY,
  async run(context) {
    const sessions = await context.sessions(CONCURRENCY);
    const ids = Array.from({ length: IDS }, (_, i) => i.toString(36).padStart(5, '0'));
    const body = Buffer.from(JSON.stringify({ messageIds: ids }));
    const make = (worker: number) => {
      const session = sessions[worker % sessions.length];
      if (session === undefined) throw new Error('no session');
      return session.post('/acknowledgeMessage', body);
    };
    // The first ones are ready to be sent, since signing 8 MB takes a while.
    const first = Array.from({ length: CONCURRENCY }, (_, worker) => make(worker));
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire, worker) => {
      const request = first[worker] ?? make(worker);
      delete first[worker];
      await wire.exchange(request);
    });
  },
};
