import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether the server at the origin has the configured key. */
export const originIdentity: Check = {
  name: 'origin identity',
  run: async ({ origin, serverIdentity }) => {
    const outcome = await resultOf(origin.handshake, 'the origin');
    if (outcome.kind !== 'session') return notApplicable('there is no handshake');
    const configured = await serverIdentity;
    if (configured === undefined) return notApplicable('no key is configured here');
    const { serverKey } = outcome.session;
    if (serverKey === configured) return ok('that of SERVER_PRIVATE_KEY');
    return fail(
      `the server there is ${serverKey}, and the key configured here is that of ${configured}`,
      'Set the same SERVER_PRIVATE_KEY on all instances, and check that the origin leads to this deployment.',
    );
  },
};
