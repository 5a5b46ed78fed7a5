/**
 * @returns undefined for what is no absolute URL. Not by `URL.canParse`, which in Node 20 takes letters like ü for wrong
 *   once it has been called often
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
