import { z } from 'zod';

/**
 * Fields of a payment, checked as the wallets of its recipients check them (BRC-100). A wallet refuses a whole payment for
 * one wrong field, so such a payment must not be stored. Lengths are in bytes of UTF-8.
 */

/** A text of `min` to `max` bytes without lone surrogates, which cannot be stored as UTF-8. */
export function textSchema({ min, max }: { min: number; max: number }) {
  return z.string().refine((value) => hasByteLength(value, min, max));
}

/** Names of labels, tags and baskets. Wallets trim them and convert them to lower case. */
const identifierSchema = z.string().refine((value) => hasByteLength(value.trim().toLowerCase(), 1, 300));

/** A label of a payment. */
export const labelSchema = identifierSchema;

/** The basket of an output that is not a payment. Wallets keep their change in `default` and refuse other outputs there. */
export const insertionRemittance = z
  .object({
    basket: identifierSchema.refine((basket) => basket.trim().toLowerCase() !== 'default'),
    customInstructions: textSchema({ min: 0, max: 1_000 }).optional(),
    tags: z.array(identifierSchema).max(100).optional(),
  })
  .loose();

/** Clients refuse a record that has such a property at any depth, because of prototype pollution. */
const UNSAFE_PROPERTIES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a value from JSON has, at any depth, a property for which clients refuse the whole value. */
export function hasUnsafeProperty(json: unknown): boolean {
  const pending: unknown[] = [json];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value) && Object.keys(value).some((name) => UNSAFE_PROPERTIES.has(name))) return true;
    // Numbers are not queued: the list of a transaction's bytes has a million of them.
    for (const inner of Array.isArray(value) ? value : Object.values(value)) {
      if (typeof inner === 'object' && inner !== null) pending.push(inner);
    }
  }
  return false;
}

function hasByteLength(value: string, min: number, max: number): boolean {
  const bytes = Buffer.byteLength(value);
  return value.isWellFormed() && bytes >= min && bytes <= max;
}
