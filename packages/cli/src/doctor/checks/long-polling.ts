import { getText } from '../../client/fields.js';
import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';
import { exchange } from '../origin/exchange.js';
import { TimeLimitError } from '../time-limit.js';

/** Connections that are tried. With two instances behind round robin, each of them meets both. */
const ROUNDS = 4;
const ADVICE =
  'Each realtime instance needs INTERNAL_PORT, and an address (INTERNAL_ADDRESS) at which the others reach it; all need the same REDIS_URL and REDIS_PREFIX.';

/** Whether a connection by long polling works when each of its requests may reach another instance. */
export const longPolling: Check = {
  name: 'long polling',
  run: async ({ origin, config }) => {
    if (!config.websockets) return notApplicable('ENABLE_WEBSOCKETS is false');
    const handshake = await resultOf(origin.handshake, 'the origin');
    if (handshake.kind !== 'session') return notApplicable('there is no handshake');
    const problems = await Promise.all(
      Array.from({ length: ROUNDS }, () => tryConnection(origin.origin, origin.limitMs)),
    );
    const problem = problems.find((found) => found !== undefined);
    return problem === undefined ? ok(`${ROUNDS} connections opened`) : problem;
  },
};

async function tryConnection(origin: string, limitMs: number) {
  const url = `${origin}/socket.io/?EIO=4&transport=polling`;
  try {
    const opened = await exchange({ method: 'GET', url }, limitMs);
    const sid = readSessionId(opened.body.toString('utf8'));
    if (opened.status !== 200 || sid === undefined) {
      return fail(`/socket.io/ answers HTTP ${opened.status}`, 'Pass /socket.io/ on to realtime (or standalone).');
    }
    const next = { url: `${url}&sid=${encodeURIComponent(sid)}`, headers: { 'content-type': 'text/plain' } };
    // "40" asks for the namespace, and "1" ends the connection.
    const posted = await exchange({ ...next, method: 'POST', body: '40' }, limitMs);
    if (posted.status !== 200)
      return fail(`another instance does not know the connection (HTTP ${posted.status})`, ADVICE);
    const polled = await exchange({ ...next, method: 'GET' }, limitMs);
    if (polled.status !== 200)
      return fail(`another instance does not know the connection (HTTP ${polled.status})`, ADVICE);
    await exchange({ ...next, method: 'POST', body: '1' }, limitMs).catch(() => undefined); // it ends by itself as well
    return undefined;
  } catch (error) {
    const reason = error instanceof TimeLimitError ? error.message : 'the connection is cut';
    return fail(`long polling fails: ${reason}`, 'Pass /socket.io/ on to realtime, without buffering.');
  }
}

function readSessionId(text: string): string | undefined {
  try {
    return text.startsWith('0{') ? getText(JSON.parse(text.slice(1)), 'sid') || undefined : undefined;
  } catch {
    return undefined;
  }
}
