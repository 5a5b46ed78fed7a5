/** What every wallet takes as the description of a payment (BRC-100), in bytes of UTF-8. */
const MIN_BYTES = 5;
const MAX_BYTES = 50;
const CONTROL_CHARACTERS = /\p{Cc}+/gu;

/**
 * A payment's description as its recipient's wallet takes it, since a wallet that refuses it refuses the money. Too long a
 * one is cut, between code points; control characters become spaces. One that is too short is left out: clients have a
 * default of their own. So no sender is refused for words, and every recipient can take what was paid.
 *
 * @returns undefined when none is to be stored
 */
export function walletDescription(given: string | undefined): string | undefined {
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
