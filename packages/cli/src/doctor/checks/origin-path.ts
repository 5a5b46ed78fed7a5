import { getText } from '../../client/fields.js';
import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';

/** Whether the message routes are where clients look for them, and see the path that was signed. */
export const originPath: Check = {
  name: 'origin path',
  run: async ({ origin }) => {
    const handshake = await resultOf(origin.handshake, 'the origin');
    if (handshake.kind !== 'session') return notApplicable('there is no handshake');
    const path = `${origin.prefix}/listMessages`;
    const advice =
      'ROUTING_PREFIX must be the path that clients use, and the edge must pass it on unchanged: neither remove nor add a prefix.';
    const unsigned = await resultOf(origin.unsignedRequest, 'the origin');
    if (unsigned.status !== 401 || !isOurs(unsigned.body)) {
      return fail(`${path} answers HTTP ${unsigned.status}: no message routes are there`, advice);
    }
    const signed = await resultOf(origin.signedRequest, 'the origin');
    if (signed?.kind === 'verified' && signed.status === 404) {
      return fail(`the server has no route at ${path}`, advice);
    }
    if (signed?.kind === 'unsigned' && signed.code === 'ERR_AUTH_FAILED' && !/^Session not found/.test(signed.text)) {
      return fail('the server received another path or other headers than were signed', advice);
    }
    return ok(`${origin.origin}${origin.prefix}`);
  },
};

function isOurs(body: Buffer): boolean {
  try {
    return getText(JSON.parse(body.toString('utf8')), 'status') === 'error';
  } catch {
    return false;
  }
}
