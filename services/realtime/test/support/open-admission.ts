import { createRateLimit } from '@messagebox/shared';
import { Admission } from '../../src/sockets/admission.js';

/** Creates an admission that accepts every connection, for tests of other parts. */
export function openAdmission(): Admission {
  const onHit = () => undefined;
  const newSockets = createRateLimit({ rate: { count: 1_000_000, seconds: 1 }, onHit });
  const waitForTurn = async () => undefined;
  return new Admission({
    trustedProxies: 0,
    waitForTurn,
    newSockets,
    socketsPerAddress: 10_000,
    unprovenSockets: 10_000,
    onHit,
  });
}
