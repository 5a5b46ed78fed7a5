/** @returns what is wrong with an identity key, as a sentence; undefined when nothing is to be seen */
export function findKeyProblem(key: string): string | undefined {
  if (key === '') return 'Whose key is it for?';
  if (!/^[0-9a-f]+$/i.test(key)) return 'A key has only the digits 0 to 9 and the letters a to f.';
  if (key.length !== 66) return `A key has 66 characters, and this has ${key.length}.`;
  if (!/^0[23]/.test(key)) return 'A key begins with 02 or 03.';
  return undefined;
}
