import { randomBytes } from 'node:crypto';
import { type Session, type WireRequest, withHeader } from '@messagebox/test-support/raw-client';
import { type Attack, BY_IDENTITY } from './attack.ts';

const CONCURRENCY = 4;
const LARGE_BODY_CONCURRENCY = 4;
const LARGE_BODY = Buffer.alloc(10_000_000, 'b');
const SIGNED_LOOKING = Array.from({ length: 1_950 }, (_, i) => [`x-bsv-${i}`, `${i}`] as const);

/**
 * Row 22: requests with a good session and a signature of something else, in different sizes. The server finds out at
 * the end of its work; the attacker signs once.
 */
function createForgedAttack(
  name: string,
  does: string,
  atOnce: number,
  draft: (session: Session) => WireRequest,
): Attack {
  return {
    name,
    does,
    shapes: BY_IDENTITY,
    async run(context) {
      const sessions = await context.sessions();
      const requests = sessions.map(draft);
      await context.begin();
      await context.repeatOnWires(atOnce, async (wire, worker, turn) => {
        const request = requests[(worker + turn * atOnce) % requests.length];
        if (request === undefined) throw new Error('no session');
        await wire.exchange(withHeader(request, 'x-bsv-auth-request-id', randomBytes(32).toString('base64')));
      });
    },
  };
}

const list = { messageBox: 'inbox' };

export const badSignatures = createForgedAttack(
  'bad-signatures',
  'requests with a signature that is not theirs',
  CONCURRENCY * 2,
  (session) => session.post('/listMessages', list),
);

export const badSignaturesLongPath = createForgedAttack(
  'bad-signatures-long-path',
  'the same with paths of 60 KB',
  CONCURRENCY,
  (session) => session.sign({ method: 'GET', path: `/${'q'.repeat(60_000)}` }),
);

export const badSignaturesManyHeaders = createForgedAttack(
  'bad-signatures-many-headers',
  'the same with 1,950 headers that look signed',
  CONCURRENCY,
  (session) => session.sign({ method: 'GET', path: '/devices', headers: SIGNED_LOOKING }),
);

export const badSignaturesLargeBody = createForgedAttack(
  'bad-signatures-large-body',
  'the same with bodies of 10 MB',
  LARGE_BODY_CONCURRENCY,
  (session) => session.post('/sendMessage', LARGE_BODY),
);
