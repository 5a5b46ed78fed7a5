/**
 * Decodes base64url (RFC 4648, 5) of a known length. Browsers leave the padding out; some libraries add it.
 *
 * @param bytes how many bytes the text must hold
 * @returns undefined for any other text
 */
export function decodeBase64Url(text: string, bytes: number): Buffer | undefined {
  // The length comes first, because the text may be long.
  if (text.length > Math.ceil(bytes / 3) * 4 || !/^[A-Za-z0-9_-]+={0,2}$/.test(text)) return undefined;
  const decoded = Buffer.from(text, 'base64url');
  return decoded.length === bytes ? decoded : undefined;
}
