import { randomBytes } from 'node:crypto';
import type { ClientWallet } from './wallet.js';

const RANDOM_BYTES = 16;

/** Names the key of the HMAC. It is nobody's business but this client's: what it binds comes back to its maker only. */
const keyOf = (random: Uint8Array) =>
  ({
    protocolID: [2, 'strict client nonce'],
    keyID: Buffer.from(random).toString('hex'),
    counterparty: 'self',
  }) satisfies { protocolID: [2, string]; keyID: string; counterparty: string };

/** A nonce for a session: 16 random bytes and their HMAC-SHA-256 under the client's own key, in base64. */
export async function mintClientNonce(wallet: ClientWallet): Promise<string> {
  const random = randomBytes(RANDOM_BYTES);
  const { hmac } = await wallet.createHmac({ ...keyOf(random), data: [...random] });
  return Buffer.concat([random, Uint8Array.from(hmac)]).toString('base64');
}

/** Whether a nonce that comes back from a server was made by this wallet. */
export async function isOwnNonce(wallet: ClientWallet, nonce: string): Promise<boolean> {
  const bytes = Buffer.from(nonce, 'base64');
  const random = bytes.subarray(0, RANDOM_BYTES);
  try {
    const hmac = [...bytes.subarray(RANDOM_BYTES)];
    const { valid } = await wallet.verifyHmac({ ...keyOf(random), data: [...random], hmac });
    return valid === true;
  } catch {
    // Wallets answer a wrong HMAC by an error.
    return false;
  }
}
