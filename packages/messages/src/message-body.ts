import { findExceededJsonLimit } from '@messagebox/brc103';

/**
 * The text of a body: a non-blank string as it is, an object as JSON. Undefined for anything else, and for a body with a lone
 * surrogate in a string, a key or a value, because that has no UTF-8 form.
 */
export function toBodyText(body: unknown): string | undefined {
  if (typeof body === 'string') return body.trim() !== '' && body.isWellFormed() ? body : undefined;
  if (typeof body !== 'object' || body === null) return undefined;
  let text: string;
  try {
    text = JSON.stringify(body);
  } catch {
    return undefined; // nested too deeply for the stack
  }
  // JSON.stringify writes lone surrogates, and nothing else, as \udXXX in lower case.
  return text.includes('\\ud') && holdsLoneSurrogate(body) ? undefined : text;
}

function holdsLoneSurrogate(root: object): boolean {
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (typeof value === 'string' && !value.isWellFormed()) return true;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (!key.isWellFormed()) return true;
      stack.push(inner);
    }
  }
  return false;
}

/**
 * The stored form of a body. The real client unwraps every JSON object with a key `message` and drops its other keys. A body
 * that is such an object is therefore wrapped once more when it is stored, so that the reader gets all of it.
 */
export function toStoredBody(text: string): string {
  return looksWrapped(text) ? JSON.stringify({ message: text }) : text;
}

/**
 * The stored form of a body with a payment, in which clients find the recipient's part of the payment.
 *
 * @param payment the recipient's part, as JSON
 */
export function toStoredBodyWithPayment(text: string, payment: string): string {
  return `{"message":${JSON.stringify(text)},"payment":${payment}}`;
}

/**
 * The body as it was sent, from its stored form: the inverse of {@link toStoredBody}.
 *
 * @returns undefined for a message that carries a payment, which must be listed: live clients would lose the money
 */
export function toLiveBody(stored: string): string | undefined {
  if (!looksWrapped(stored)) return stored;
  // Only a payment has so much structure: the text in a wrapper is a string.
  if (findExceededJsonLimit(stored) !== undefined) return undefined;
  const wrapper = JSON.parse(stored) as { readonly message: unknown; readonly payment?: unknown };
  if (Object.hasOwn(wrapper, 'payment')) return undefined;
  // The reference server has stored objects in such wrappers.
  return typeof wrapper.message === 'string' ? wrapper.message : JSON.stringify(wrapper.message);
}

function looksWrapped(text: string): boolean {
  // Parsing a megabyte is expensive. Without one of these two texts there can't be such a key.
  if (!text.includes('"message"') && !text.includes('\\u')) return false;
  // Too much structure to be parsed. Any object is wrapped, because the reader gets the whole text in either case.
  if (findExceededJsonLimit(text) !== undefined) return text.trimStart().startsWith('{');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'message');
  } catch {
    return false;
  }
}
