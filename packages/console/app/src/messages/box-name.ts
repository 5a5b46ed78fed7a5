/** What clients of today accept in the name of a box. */
const MAX_BOX_BYTES = 128;

/** @returns what is wrong with the name of a box, as a sentence; undefined when nothing is */
export function findBoxProblem(name: string): string | undefined {
  if (name.trim() === '') return 'A box needs a name.';
  if (name !== name.trim()) return 'The name must not begin or end with a space.';
  if (new TextEncoder().encode(name).length > MAX_BOX_BYTES)
    return `The name must have at most ${MAX_BOX_BYTES} bytes.`;
  if (/\p{Cc}/u.test(name)) return 'The name must not have control characters.';
  return undefined;
}
