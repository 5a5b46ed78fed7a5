/** A JSON number that is whole and within these bounds, or undefined. Texts are not accepted. */
export function checkWholeNumber(value: unknown, min: number, max: number): number | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) return undefined;
  return value === 0 ? 0 : value; // no -0
}

/** A whole number within these bounds from the decimal digits of a query parameter, or undefined. */
export function parseWholeNumber(text: unknown, min: number, max: number): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) return undefined;
  return checkWholeNumber(Number(text), min, max);
}
