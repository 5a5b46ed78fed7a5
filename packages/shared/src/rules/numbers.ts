/** A number of JSON that is whole and within these bounds, or undefined. Texts are no numbers. */
export function wholeNumber(value: unknown, least: number, most: number): number | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) return undefined;
  return value === 0 ? 0 : value; // no -0
}

/** A whole number within these bounds as a query has it, in decimal digits alone; or undefined. */
export function wholeNumberOf(text: unknown, least: number, most: number): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) return undefined;
  return wholeNumber(Number(text), least, most);
}
