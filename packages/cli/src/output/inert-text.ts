/**
 * Characters that make a terminal do something or that hide what a text says: C0 and C1 controls (escape sequences begin with
 * one), and the marks that reorder or hide characters (bidirectional controls, zero-width characters, line separators).
 */
const ACTIVE_CHARACTER = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Makes a text of a stranger safe to print: characters that a terminal would act on become visible, `\x1b` for an escape.
 *
 * @param keepLines whether line breaks and tabs stay as they are
 */
export function toInert(text: string, { keepLines = false }: { readonly keepLines?: boolean } = {}): string {
  return text.replace(ACTIVE_CHARACTER, (character) => {
    if (keepLines && (character === '\n' || character === '\t')) return character;
    return escapeCharacter(character);
  });
}

/** JSON on one line, in which no character acts on a terminal. Its value is unchanged. */
export function toInertJson(value: unknown): string {
  // JSON.stringify escapes C0 controls and lone surrogates by itself; the rest may only stand inside of texts.
  return JSON.stringify(value).replace(ACTIVE_CHARACTER, (character) =>
    Array.from({ length: character.length }, (_, at) => toUnicodeEscape(character.charCodeAt(at))).join(''),
  );
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? toUnicodeEscape(code) : `\\u{${code.toString(16)}}`;
}

function toUnicodeEscape(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}
