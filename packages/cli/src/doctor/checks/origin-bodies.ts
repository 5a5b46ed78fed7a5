import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';

const ADVICE =
  'Let the edge pass bodies byte for byte: no filter, no minifier, no gateway that parses JSON and writes it again.';

/** Whether bodies pass the edge unaltered in both directions. */
export const originBodies: Check = {
  name: 'origin bodies',
  run: async ({ origin }) => {
    const plain = await resultOf(origin.signedRequest, 'the origin');
    if (plain?.kind === 'changed') return fail('answers are changed on their way to clients', ADVICE);
    if (plain?.kind !== 'verified' || plain.status !== 200) return notApplicable('signed requests are refused');
    const outcome = await resultOf(origin.signedBody, 'the origin');
    if (outcome?.kind === 'changed') return fail('answers are changed on their way to clients', ADVICE);
    if (outcome?.kind === 'unsigned' && outcome.code === 'ERR_AUTH_FAILED') {
      return fail('bodies of requests are changed on their way to the server', ADVICE);
    }
    if (outcome?.kind === 'verified' && outcome.status === 200) return ok('they pass unaltered');
    return fail(`a request with a body gets HTTP ${outcome?.status}`, ADVICE);
  },
};
