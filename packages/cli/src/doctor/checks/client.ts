import { CliError } from '../../cli-error.js';
import { ServerClient } from '../../client/server-client.js';
import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether the client library of apps gets through, as the last word. */
export const client: Check = {
  name: 'client library',
  run: async ({ origin }) => {
    if (origin.isHttps) {
      const { problem } = await resultOf(origin.certificate, 'TLS');
      if (problem !== undefined) return notApplicable('the certificate is not accepted');
    }
    const outcome = await resultOf(origin.signedBody, 'the origin');
    if (outcome?.kind !== 'verified' || outcome.status !== 200) return notApplicable('signed requests are refused');
    const { wallet, limitMs } = origin;
    const server = new ServerClient({ url: `${origin.origin}${origin.prefix}`, wallet, timeoutMs: limitMs });
    try {
      await server.get('/permissions/list', { limit: 1 });
      return ok('AuthFetch gets its answers');
    } catch (error) {
      const reason = error instanceof CliError ? error.message : String(error);
      return fail(reason, 'Compare the answer at the origin with that of the api itself.');
    }
  },
};
