import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';

const ADVICE = 'Let the edge pass on all headers that begin with x-bsv-, in both directions.';

/** Whether the headers of authentication pass the edge in both directions. */
export const originHeaders: Check = {
  name: 'origin headers',
  run: async ({ origin }) => {
    const outcome = await resultOf(origin.signedRequest, 'the origin');
    if (outcome === undefined) return notApplicable('there is no handshake');
    if (outcome.kind !== 'unsigned') return ok('x-bsv-* headers pass');
    if (outcome.status === 401 && outcome.code === 'UNAUTHORIZED') {
      return fail('x-bsv-* headers of requests do not reach the server', ADVICE);
    }
    if (outcome.status < 400) return fail('x-bsv-* headers of answers do not reach clients', ADVICE);
    return notApplicable('signed requests are refused');
  },
};
