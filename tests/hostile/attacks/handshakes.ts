import { randomBytes } from 'node:crypto';
import { createHandshakeRequest } from '../wire/http-wire.ts';
import type { Attack } from './attack.ts';

const CONCURRENCY = 40;

/** Each costs the server a signature and a row, and the client nothing. */
export const handshakes: Attack = {
  name: 'handshakes',
  does: 'handshakes at full speed, 40 at a time',
  shapes: [
    { addresses: 40, identities: 1 },
    { addresses: 1, identities: 1 },
    { addresses: 40, identities: 1_000 },
  ],
  async run(context) {
    await context.begin();
    await context.repeatOnWires(CONCURRENCY, async (wire, worker, turn) => {
      const request = createHandshakeRequest(context.client(worker + turn * CONCURRENCY));
      const nonce = randomBytes(48).toString('base64');
      const body = Buffer.from(JSON.stringify({ ...JSON.parse(String(request.body)), initialNonce: nonce }));
      await wire.exchange({ ...request, body });
    });
  },
};
