import { decodeP256Point, deriveP256PublicKey } from '@messagebox/messages';
import { z } from 'zod';
import { parseUrl } from '../http/parse-url.js';

/* Schemas for the values of environment variables. Each takes the text of the environment. */

/** A whole number from `min` to `max`. */
export const wholeNumberSchema = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be from ${min} to ${max}`);

/** A limit on stored data. 0 means no limit. */
export const quotaSchema = wholeNumberSchema(0, Number.MAX_SAFE_INTEGER).transform((limit) =>
  limit === 0 ? Number.POSITIVE_INFINITY : limit,
);

const MAX_WINDOW_SECONDS = 86_400;

/** A count in a window of whole seconds, such as `3000/3s`. The whole count may come at once. */
export const rateSchema = z
  .string()
  .regex(/^[1-9]\d{0,14}\/[1-9]\d{0,4}s$/, 'must be a number in a number of seconds, such as 3000/3s')
  .transform((text) => {
    const [count = 0, seconds = 0] = text.split('/').map((part) => Number.parseInt(part, 10));
    return { count, seconds };
  })
  .refine(({ seconds }) => seconds <= MAX_WINDOW_SECONDS, `must be within ${MAX_WINDOW_SECONDS} seconds`);

const MICROS_PER_SATOSHI = 1_000_000;

/** A price in satoshis with up to six decimals, read as whole millionths of a satoshi. */
export const satoshisSchema = (max: number) =>
  z
    .string()
    .regex(/^\d{1,12}(\.\d{1,6})?$/, 'must be a number of satoshis with at most six decimals')
    .transform((text) => Math.round(Number(text) * MICROS_PER_SATOSHI))
    .refine((micros) => micros <= max * MICROS_PER_SATOSHI, `must be from 0 to ${max} satoshis`);

export const flagSchema = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A number of seconds, read as milliseconds. */
export const secondsSchema = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number of seconds')
    .transform((text) => Math.round(Number(text) * 1000))
    .refine((ms) => ms >= min * 1000 && ms <= max * 1000, `must be from ${min} to ${max} seconds`);

export const hexKeySchema = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex characters (256 bits)')
  .transform((text) => new Uint8Array(Buffer.from(text, 'hex')));

/** A comma-separated list. */
export const listSchema = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** `https://host[:port]`, without a path. */
export const originSchema = z.string().transform((text, context) => {
  const url = parseUrl(text);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search + url.hash !== '') {
    context.addIssue({ code: 'custom', message: 'must be comma-separated origins such as https://host.example' });
    return z.NEVER;
  }
  return url.origin;
});

/** A number from 0 to 1. */
export const ratioSchema = z
  .string()
  .regex(/^(0|1|0?\.\d+|1\.0+|0\.\d+)$/, 'must be a number from 0 to 1')
  .transform(Number);

/** `https://host/path`, to which paths are added. */
export const baseUrlSchema = z.string().refine((text) => {
  const url = parseUrl(text);
  return url !== undefined && /^https?:$/.test(url.protocol) && url.search + url.hash === '';
}, 'must be a URL such as http://127.0.0.1:4318');

/** `name=value,name=value`, with percent-encoded values, as OpenTelemetry writes lists. */
export const pairsSchema = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const parts = text.split(',').filter((part) => part.trim() !== '');
  try {
    return Object.fromEntries(
      parts.map((part) => {
        const [name = '', value] = part.split(/=(.*)/s);
        if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim()) || value === undefined) throw new TypeError('no pair');
        return [name.trim(), decodeURIComponent(value.trim())];
      }),
    );
  } catch {
    context.addIssue({ code: 'custom', message: 'must be pairs such as name=value,name=value' });
    return z.NEVER;
  }
});

/** The public key of VAPID (RFC 8292, 3.2): an uncompressed point of P-256 in base64url. */
export const vapidPublicKeySchema = z.string().transform((text, context) => {
  const point = decodeP256Point(text);
  if (point !== undefined) return point.toString('base64url');
  context.addIssue({ code: 'custom', message: 'must be an uncompressed point of P-256: 65 bytes in base64url' });
  return z.NEVER;
});

/** The private key of VAPID: a scalar of P-256 in base64url. */
export const vapidPrivateKeySchema = z
  .string()
  .refine((text) => deriveP256PublicKey(text) !== undefined, 'must be a private key of P-256: 32 bytes in base64url')
  .transform((text) => text.replace(/=+$/, ''));

/** The subject of VAPID (RFC 8292, 2.1): a contact of the operator. */
export const vapidSubjectSchema = z.string().refine((text) => {
  const url = parseUrl(text);
  if (url?.protocol === 'mailto:') return /^[^@\s]+@[^@\s]+$/.test(url.pathname);
  return url?.protocol === 'https:';
}, 'must be a mailto: address or an https: URL');

export const jsonSchema = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
});
