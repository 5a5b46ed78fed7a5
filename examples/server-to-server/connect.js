import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';

/** @param {string | undefined} key 64 hex characters @returns the client of a backend, its identity key, and the server */
export function connect(key) {
  const host = process.env.MESSAGEBOX_URL ?? 'http://localhost:8080';
  const privateKey = key === undefined ? PrivateKey.fromRandom() : PrivateKey.fromHex(key);
  const walletClient = new CompletedProtoWallet(privateKey);
  const client = new MessageBoxClient({ host, walletClient, networkPreset: 'local' });
  return { client, host, identityKey: privateKey.toPublicKey().toString() };
}

/**
 * Reads the body of a message. Anybody may write to a box, so it can be anything.
 *
 * @param {unknown} body
 * @returns {Record<string, unknown>} empty when it is no object
 */
export function readBody(body) {
  try {
    const value = typeof body === 'string' ? JSON.parse(body) : body;
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
