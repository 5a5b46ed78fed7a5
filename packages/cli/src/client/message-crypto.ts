import { Utils, type WalletInterface } from '@bsv/sdk';

/** The protocol and key id under which `@bsv/message-box-client` encrypts bodies. */
const ENCRYPTION = { protocolID: [1, 'messagebox'] as [1, string], keyID: '1' };

/** A message as it was stored. */
export interface StoredMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

/** The text of a message, and how it came. */
export interface ReadBody {
  /** What the sender wrote. Undefined: it can't be read with this identity. */
  readonly text: string | undefined;
  readonly isEncrypted: boolean;
  /** Whether a payment came along. It is the wallet of the recipient that takes it. */
  readonly hasPayment: boolean;
}

/** Encrypts a text for its recipient, as the client of apps does. */
export async function encryptBody(wallet: WalletInterface, recipient: string, text: string): Promise<string> {
  const { ciphertext } = await wallet.encrypt({
    ...ENCRYPTION,
    counterparty: recipient,
    plaintext: Utils.toArray(text, 'utf8'),
  });
  return JSON.stringify({ encryptedMessage: Utils.toBase64(ciphertext) });
}

/** Takes a stored body out of its wrappings (`{"message": …, "payment": …}`, `{"encryptedMessage": …}`). Never throws. */
export async function readBody(
  wallet: WalletInterface,
  message: Pick<StoredMessage, 'sender' | 'body'>,
): Promise<ReadBody> {
  const wrapped = parseObject(message.body);
  const isWrapped = wrapped !== undefined && 'message' in wrapped;
  const inner = isWrapped ? wrapped['message'] : message.body;
  const hasPayment = isWrapped && 'payment' in wrapped;
  const content = typeof inner === 'string' ? parseObject(inner) : inner;
  const sealed = (content as Record<string, unknown> | null | undefined)?.['encryptedMessage'];
  if (typeof sealed !== 'string') {
    return { text: typeof inner === 'string' ? inner : JSON.stringify(inner), isEncrypted: false, hasPayment };
  }
  try {
    const { plaintext } = await wallet.decrypt({
      ...ENCRYPTION,
      counterparty: message.sender,
      ciphertext: Utils.toArray(sealed, 'base64'),
    });
    return { text: Utils.toUTF8(plaintext), isEncrypted: true, hasPayment };
  } catch {
    return { text: undefined, isEncrypted: true, hasPayment };
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
