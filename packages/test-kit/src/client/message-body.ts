import { isRecord } from '../message/data-weight.js';
import type { ClientWallet } from '../wallet/wallet.js';
import type { SendMessageParams } from './types.js';

/** The keys that encrypt messages and derive their ids (BRC-2). */
const MESSAGE_KEY = { protocolID: [1, 'messagebox'], keyID: '1' } satisfies { protocolID: [1, string]; keyID: string };

/** The maximum length of a body in UTF-8. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Derives the default id of a message: an HMAC of its body for its recipient, in hex. */
export async function deriveMessageId(wallet: ClientWallet, { body, recipient }: SendMessageParams): Promise<string> {
  const data = [...Buffer.from(JSON.stringify(body))];
  const { hmac } = await wallet.createHmac({ ...MESSAGE_KEY, counterparty: recipient, data });
  return Buffer.from(hmac).toString('hex');
}

/**
 * Encodes a body, encrypted for its recipient unless `skipEncryption` is true.
 *
 * @throws TypeError when current clients do not send such a body
 */
export async function encodeBody(wallet: ClientWallet, params: SendMessageParams): Promise<string> {
  const { body, recipient, skipEncryption } = params;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (text.trim() === '') throw new TypeError('Current clients send no empty body.');
  const encoded = skipEncryption === true ? text : await encrypt(wallet, recipient, text);
  if (Buffer.byteLength(encoded) > MAX_BODY_BYTES) {
    throw new TypeError(`Current clients send bodies of at most ${MAX_BODY_BYTES} bytes.`);
  }
  return encoded;
}

async function encrypt(wallet: ClientWallet, counterparty: string, text: string): Promise<string> {
  const { ciphertext } = await wallet.encrypt({ ...MESSAGE_KEY, counterparty, plaintext: [...Buffer.from(text)] });
  return JSON.stringify({ encryptedMessage: Buffer.from(ciphertext).toString('base64') });
}

/** Decodes a pushed body for an app: a string, decrypted if it was encrypted. */
export async function decodePushedBody(wallet: ClientWallet, sender: string, body: string): Promise<string> {
  const parsed = parseOrText(body);
  const decrypted = await decrypt(wallet, sender, parsed);
  if (decrypted !== undefined) return decrypted;
  return typeof parsed === 'string' ? parsed : JSON.stringify(parsed);
}

/** Decodes a listed body for an app: unwrapped, decrypted if it was encrypted, and parsed if it is JSON. */
export async function decodeListedBody(wallet: ClientWallet, sender: string, body: string): Promise<unknown> {
  const parsed = parseOrText(body);
  const wrapped = isRecord(parsed) && Object.hasOwn(parsed, 'message') ? parsed['message'] : parsed;
  const content = typeof wrapped === 'string' ? parseOrText(wrapped) : wrapped;
  const decrypted = await decrypt(wallet, sender, content);
  return decrypted === undefined ? (content ?? parsed) : parseOrText(decrypted);
}

async function decrypt(wallet: ClientWallet, counterparty: string, content: unknown): Promise<string | undefined> {
  if (!isRecord(content) || typeof content['encryptedMessage'] !== 'string') return undefined;
  const ciphertext = [...Buffer.from(content['encryptedMessage'], 'base64')];
  const { plaintext } = await wallet.decrypt({ ...MESSAGE_KEY, counterparty, ciphertext });
  return Buffer.from(plaintext).toString('utf8');
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
