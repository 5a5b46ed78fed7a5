import { z } from 'zod';

/**
 * Fields of a payment as the wallets of its recipients check them (BRC-100). A recipient's wallet refuses a payment as a
 * whole for one wrong field, so what it would refuse must not be stored. Lengths are in bytes of UTF-8.
 */

/** A text of so many bytes. Half of a surrogate pair has no UTF-8: neither database nor wallet has room for it. */
export function text({ least, most }: { least: number; most: number }) {
  return z.string().refine((value) => isWithin(value, least, most));
}

/** Names of labels, tags and baskets: wallets trim them and take them in lower case. */
const identifier = z.string().refine((value) => isWithin(value.trim().toLowerCase(), 1, 300));

export const label = identifier;

/** Where an output goes that is no payment. The wallet's own change is in `default`, which takes nothing from outside. */
export const insertionRemittance = z
  .object({
    basket: identifier.refine((basket) => basket.trim().toLowerCase() !== 'default'),
    customInstructions: text({ least: 0, most: 1_000 }).optional(),
    tags: z.array(identifier).max(100).optional(),
  })
  .loose();

/** Clients refuse records that have such a property, at whatever depth: it could be a prototype's. */
const UNSAFE_PROPERTIES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether something from JSON has a property, at whatever depth, for which clients refuse all of it. */
export function hasUnsafeProperty(json: unknown): boolean {
  const pending: unknown[] = [json];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value) && Object.keys(value).some((name) => UNSAFE_PROPERTIES.has(name))) return true;
    // Only what can have properties: a list of a million numbers is no work.
    for (const inner of Array.isArray(value) ? value : Object.values(value)) {
      if (typeof inner === 'object' && inner !== null) pending.push(inner);
    }
  }
  return false;
}

function isWithin(value: string, least: number, most: number): boolean {
  const bytes = Buffer.byteLength(value);
  return value.isWellFormed() && bytes >= least && bytes <= most;
}
