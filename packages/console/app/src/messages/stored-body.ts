/** What a stored body turns out to be. */
export interface StoredBody {
  /** Base64; undefined when the body is not encrypted. */
  readonly ciphertext: string | undefined;
  /** What there is to read; empty when the body is encrypted. */
  readonly text: string;
  /** A payment that came along, for `internalizeAction` of a wallet. */
  readonly payment: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Takes a stored body apart as clients do: `{"message": …, "payment": …}` around it when there was a payment, and
 * `{"encryptedMessage": "BASE64"}` when it is encrypted. Everything else is text.
 */
export function parseStoredBody(body: string): StoredBody {
  const outer = parseObject(body);
  const isWrapped = outer !== undefined && 'message' in outer;
  const inner = isWrapped ? outer['message'] : body;
  const innerText = typeof inner === 'string' ? inner : JSON.stringify(inner, null, 2);
  const encrypted = parseObject(innerText)?.['encryptedMessage'];
  const payment = isWrapped && isObject(outer['payment']) ? outer['payment'] : undefined;
  if (typeof encrypted === 'string') return { ciphertext: encrypted, text: '', payment };
  return { ciphertext: undefined, text: innerText, payment };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
