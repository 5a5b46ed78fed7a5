import { excessOfJson } from '@messagebox/brc103';

/**
 * The text that stands for a body, or undefined when it can't be one: a non-blank string as it is, an object as JSON.
 * Nothing with a lone surrogate, in strings or in keys and values of objects: it has no UTF-8 form.
 */
export function bodyText(body: unknown): string | undefined {
  if (typeof body === 'string') return body.trim() !== '' && body.isWellFormed() ? body : undefined;
  if (typeof body !== 'object' || body === null) return undefined;
  let text: string;
  try {
    text = JSON.stringify(body);
  } catch {
    return undefined; // nested deeper than the stack
  }
  // JSON.stringify writes a lone surrogate as \udXXX in lower case, and nothing else so.
  return text.includes('\\ud') && holdsLoneSurrogate(body) ? undefined : text;
}

function holdsLoneSurrogate(root: object): boolean {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string' && !value.isWellFormed()) return true;
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries(value)) {
      if (!key.isWellFormed()) return true;
      open.push(inner);
    }
  }
  return false;
}

/**
 * What is stored for a body. The real client unwraps any JSON object that has a key `message` and drops the rest of it,
 * so a body that is such an object is stored wrapped once more, and reaches the reader whole.
 */
export function storedBody(text: string): string {
  return looksWrapped(text) ? JSON.stringify({ message: text }) : text;
}

/**
 * What is stored for a body that came with a payment: clients look for the recipient's part of it there.
 *
 * @param payment JSON
 */
export function storedWithPayment(text: string, payment: string): string {
  return `{"message":${JSON.stringify(text)},"payment":${payment}}`;
}

function looksWrapped(text: string): boolean {
  // Parsing a megabyte to find no such key is dear; without one of these two marks there can't be one.
  if (!text.includes('"message"') && !text.includes('\\u')) return false;
  // Too much to be parsed. An object is wrapped, whether or not it has the key: a reader gets the whole text in both cases.
  if (excessOfJson(text) !== undefined) return text.trimStart().startsWith('{');
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, 'message');
  } catch {
    return false;
  }
}
