import { isRecord } from '../message/data-weight.js';
import type { ClientWallet } from '../wallet/wallet.js';
import type { SendMessageParams } from './types.js';

/** Names the keys that encrypt messages and make their ids (BRC-2). */
const KEY = { protocolID: [1, 'messagebox'], keyID: '1' } satisfies { protocolID: [1, string]; keyID: string };

/** Upper bound of the UTF-8 bytes of a body. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** The id that a message has without one of its own: an HMAC of its body for its recipient, in hex. */
export async function deriveMessageId(wallet: ClientWallet, { body, recipient }: SendMessageParams): Promise<string> {
  const data = [...Buffer.from(JSON.stringify(body))];
  const { hmac } = await wallet.createHmac({ ...KEY, counterparty: recipient, data });
  return Buffer.from(hmac).toString('hex');
}

/**
 * The body as it is sent: encrypted for its recipient unless that is not wanted.
 * @throws TypeError when today's clients do not send such a body
 */
export async function encodeBody(wallet: ClientWallet, params: SendMessageParams): Promise<string> {
  const { body, recipient, skipEncryption } = params;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  if (text.trim() === '') throw new TypeError("Today's clients send no empty body.");
  const encoded = skipEncryption === true ? text : await encrypt(wallet, recipient, text);
  if (Buffer.byteLength(encoded) > MAX_BODY_BYTES) {
    throw new TypeError(`Today's clients send bodies of at most ${MAX_BODY_BYTES} bytes.`);
  }
  return encoded;
}

async function encrypt(wallet: ClientWallet, counterparty: string, text: string): Promise<string> {
  const { ciphertext } = await wallet.encrypt({ ...KEY, counterparty, plaintext: [...Buffer.from(text)] });
  return JSON.stringify({ encryptedMessage: Buffer.from(ciphertext).toString('base64') });
}

/** What an app gets of a body that was pushed: text, decrypted where it is encrypted. */
export async function decodePushedBody(wallet: ClientWallet, sender: string, body: string): Promise<string> {
  const parsed = parseOrText(body);
  const decrypted = await decrypt(wallet, sender, parsed);
  if (decrypted !== undefined) return decrypted;
  return typeof parsed === 'string' ? parsed : JSON.stringify(parsed);
}

/** What an app gets of a body that was listed: unwrapped, decrypted where it is encrypted, parsed where it is JSON. */
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
  const { plaintext } = await wallet.decrypt({ ...KEY, counterparty, ciphertext });
  return Buffer.from(plaintext).toString('utf8');
}

function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
