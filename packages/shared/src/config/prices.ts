import type { PriceList } from '@messagebox/messages';
import type { z } from 'zod';
import type { variables } from './variables.js';

type PriceVariable = Extract<keyof typeof variables, `PRICE_${string}`> | 'RETENTION_DAYS';
type PriceValues = { readonly [Name in PriceVariable]: z.infer<(typeof variables)[Name]> };

/** Storage is paid for a month where messages do not expire. */
const DEFAULT_STORAGE_DAYS = 30;

/** The prices of requests; undefined when all of them are 0. */
export function toPriceList(values: PriceValues): PriceList | undefined {
  const prices = {
    perSend: values.PRICE_BASE,
    perRecipient: values.PRICE_PER_RECIPIENT,
    perKib: values.PRICE_PER_KIB,
    perMibMonth: values.PRICE_PER_MIB_MONTH,
    perListPage: values.PRICE_PER_LIST_PAGE,
  };
  if (Object.values(prices).every((price) => price === 0)) return undefined;
  return {
    ...prices,
    storageDays: values.RETENTION_DAYS === 0 ? DEFAULT_STORAGE_DAYS : values.RETENTION_DAYS,
    exemptsAllowed: values.PRICE_EXEMPT_ALLOWED,
  };
}
