import { randomBytes } from 'node:crypto';
import type { ClientWallet } from './wallet.js';

const RANDOM_BYTES = 16;

/** The key of the HMAC. Only this client uses it, because a nonce is verified only by the client that has made it. */
const createHmacKey = (random: Uint8Array) =>
  ({
    protocolID: [2, 'strict client nonce'],
    keyID: Buffer.from(random).toString('hex'),
    counterparty: 'self',
  }) satisfies { protocolID: [2, string]; keyID: string; counterparty: string };

/** Creates a session nonce: 16 random bytes and their HMAC-SHA-256 with the client's own key, in base64. */
export async function mintClientNonce(wallet: ClientWallet): Promise<string> {
  const random = randomBytes(RANDOM_BYTES);
  const { hmac } = await wallet.createHmac({ ...createHmacKey(random), data: [...random] });
  return Buffer.concat([random, Uint8Array.from(hmac)]).toString('base64');
}

/** Whether this wallet has made a nonce that a server has sent. */
export async function isOwnNonce(wallet: ClientWallet, nonce: string): Promise<boolean> {
  const bytes = Buffer.from(nonce, 'base64');
  const random = bytes.subarray(0, RANDOM_BYTES);
  try {
    const hmac = [...bytes.subarray(RANDOM_BYTES)];
    const { valid } = await wallet.verifyHmac({ ...createHmacKey(random), data: [...random], hmac });
    return valid === true;
  } catch {
    // Wallets throw for a wrong HMAC.
    return false;
  }
}
