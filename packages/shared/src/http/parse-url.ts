/**
 * @returns undefined when the text is not an absolute URL. `URL.canParse` is not used: in Node 20 it rejects letters like ü
 *   after many calls
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
