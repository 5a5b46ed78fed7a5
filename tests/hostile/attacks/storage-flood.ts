import { randomBytes } from 'node:crypto';
import { loadCurve } from '@messagebox/brc103';
import type { Attack } from './attack.ts';

const RECIPIENTS = 8_000;
/** As many as one send could address at 2206bd9; then what clients of today send. */
const BATCHES = [1_000, 100];
const BODY_CHARACTERS = 65_000;

/** Row 5: a little to send, much to keep, for people who will never fetch it. */
export const storageFlood: Attack = {
  name: 'storage-flood',
  does: 'sends of 64 KB to 8,000 recipients that nobody is, in batches',
  shapes: [
    { addresses: 1, identities: 1 },
    { addresses: 40, identities: 1_000 },
  ],
  async run(context) {
    const sessions = await context.sessions();
    const curve = loadCurve();
    const keys = Array.from({ length: RECIPIENTS }, () =>
      Buffer.from(curve.getPublicKey(randomBytes(32))).toString('hex'),
    );
    let sent = 0;
    let batch = BATCHES[0] ?? 1;
    await context.begin();
    await context.repeatOnWires(2, async (wire, _worker, turn) => {
      if (sent >= RECIPIENTS) {
        await context.waitUntilOver();
        return;
      }
      const recipients = keys.slice(sent, sent + batch);
      sent += recipients.length;
      const messageId = recipients.map(() => randomBytes(8).toString('hex'));
      const message = { recipients, messageBox: 'inbox', messageId, body: 's'.repeat(BODY_CHARACTERS) };
      const session = sessions[turn % sessions.length];
      const answer = await wire.exchange(session?.post('/sendMessage', { message }) ?? fail());
      if (answer.text.includes('ERR_TOO_MANY_RECIPIENTS')) batch = BATCHES[1] ?? 1;
      else if (answer.status !== 200) await context.pause(20);
    });
  },
};

function fail(): never {
  throw new Error('no session');
}
