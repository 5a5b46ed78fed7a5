import { type Check, fail, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether a MessageBox server makes a valid handshake at the origin's root. */
export const originServer: Check = {
  name: 'origin handshake',
  run: async ({ origin }) => {
    await resultOf(origin.health, 'the origin');
    const outcome = await resultOf(origin.handshake, 'the origin');
    if (outcome.kind === 'session') return ok(`answers as ${outcome.session.serverKey}`);
    if (outcome.reason === 'bad signature') {
      return fail(
        'the signature of the handshake is wrong',
        'Does the edge change answers? Let it pass bodies as they are.',
      );
    }
    return fail(
      `POST ${origin.origin}/.well-known/auth gives no handshake (HTTP ${outcome.status})`,
      'Pass /.well-known/auth on to the api, at the root of the origin, whatever ROUTING_PREFIX is.',
    );
  },
};
