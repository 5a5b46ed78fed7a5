/**
 * The work itself. It must be safe to repeat, because a process may end between the work and its acknowledgement.
 *
 * @param {string} what
 * @throws {Error} when it can not be packed
 */
export async function pack(what) {
  if (what === 'water') throw new Error('it has no box');
  return `packed ${what}`;
}
