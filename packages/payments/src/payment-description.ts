/** The description of a payment in BRC-100, in bytes of UTF-8. */
const MIN_BYTES = 5;
const MAX_BYTES = 50;
const CONTROL_CHARACTERS = /\p{Cc}+/gu;

/**
 * Makes a payment's description fit for the recipient's wallet, which would refuse the money together with a wrong
 * description. Control characters become spaces, and a long text is cut between code points. A text that is too short is
 * left out, because clients have a default.
 *
 * @returns undefined when no description is to be stored
 */
export function toWalletDescription(given: string | undefined): string | undefined {
  const text = (given ?? '').replace(CONTROL_CHARACTERS, ' ').trim();
  let [fitting, bytes] = ['', 0];
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_BYTES) break;
    fitting += character;
  }
  const description = fitting.trimEnd();
  return Buffer.byteLength(description) < MIN_BYTES ? undefined : description;
}
