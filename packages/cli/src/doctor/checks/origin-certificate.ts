import { describeNetworkError } from '../../client/network-errors.js';
import { type Check, fail, notApplicable, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

const DAY_MS = 86_400_000;
const WARN_DAYS = 14;

/** Whether clients accept the certificate, today and in the next days. */
export const originCertificate: Check = {
  name: 'origin certificate',
  run: async ({ origin, config }) => {
    if (!origin.isHttps) {
      if (config.nodeEnv !== 'production') return notApplicable('the origin is http');
      return warn('the origin is http', 'Put TLS in front: bodies that are not encrypted can be read on the way.');
    }
    await resultOf(origin.health, 'the origin');
    const { problem, validUntil } = await resultOf(origin.certificate, 'TLS');
    const days = Math.floor((validUntil.getTime() - Date.now()) / DAY_MS);
    if (problem !== undefined) {
      const reason = describeNetworkError(Object.assign(new Error(problem), { code: problem })) ?? problem;
      return fail(`${origin.origin}: ${reason}`, adviceFor(problem));
    }
    const seen = `valid until ${validUntil.toISOString().slice(0, 10)}`;
    return days < WARN_DAYS
      ? warn(seen, 'Renew the certificate now, and find out why it is not renewed by itself.')
      : ok(seen);
  },
};

function adviceFor(problem: string): string {
  if (problem === 'CERT_HAS_EXPIRED') return 'Renew the certificate, and let the edge load it.';
  if (problem === 'CERT_NOT_YET_VALID')
    return 'Is the clock of this host right? Else use a certificate that is valid now.';
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'Use a certificate for the name of the origin.';
  return 'Use a certificate of an authority that clients trust, with its intermediate certificates.';
}
