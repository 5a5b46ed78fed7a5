import { isIdentityKey } from '@messagebox/brc103';
import { InvalidArgumentError } from 'commander';

/** An identity key: a compressed public key. @returns 66 lower-case hex characters */
export function parseIdentityKey(text: string): string {
  const key = text.toLowerCase();
  if (!isIdentityKey(key)) {
    throw new InvalidArgumentError('An identity key has 66 hexadecimal characters, and begins with 02 or 03.');
  }
  return key;
}

/** A whole number from `min` to `max`. */
export const parseWholeNumber = (min: number, max: number) => (text: string) => {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  return value;
};

/** Seconds. @returns milliseconds */
export function parseSeconds(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError('It must be a number of seconds above 0.');
  return Math.ceil(seconds * 1000);
}

/** A fee: `allow` (0), `block` (-1), or satoshis. */
export function parseFee(text: string): number {
  if (text === 'allow') return 0;
  if (text === 'block') return -1;
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 31) return Number(text);
  throw new InvalidArgumentError('It must be allow, block, or a number of satoshis up to 2147483647.');
}
