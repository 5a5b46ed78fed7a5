import { rateLimit } from '@messagebox/shared';
import { Admission } from '../../src/sockets/admission.js';

/** An admission that lets everybody in: for servers whose own behaviour is tested. */
export function openAdmission(): Admission {
  const onHit = () => undefined;
  const newSockets = rateLimit({ rate: { count: 1_000_000, seconds: 1 }, onHit });
  const askTurn = async () => undefined;
  return new Admission({
    trustedProxies: 0,
    askTurn,
    newSockets,
    socketsPerAddress: 10_000,
    unprovenSockets: 10_000,
    onHit,
  });
}
