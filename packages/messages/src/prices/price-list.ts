/**
 * What the operator charges for requests, apart from the fees of deliveries and recipients. Prices are whole millionths of a
 * satoshi, so that they add up exactly.
 */
export interface PriceList {
  readonly perSend: number;
  readonly perRecipient: number;
  /** For 1,024 bytes of the request's body. */
  readonly perKib: number;
  /** For 1,048,576 stored bytes, for 30 days. */
  readonly perMibMonth: number;
  readonly perListPage: number;
  /** For how many days storage is paid: the retention, or 30 days where messages have none. */
  readonly storageDays: number;
  /** Whether recipients who have allowed the sender by name cost nothing. */
  readonly exemptsAllowed: boolean;
}

/** What the price of a send depends on. Recipients who cost nothing are not counted. */
export interface SendSize {
  readonly recipients: number;
  /** Bytes of the request's body. */
  readonly requestBytes: number;
  /** Bytes of the messages of all counted recipients together, without what a payment adds to them. */
  readonly storedBytes: number;
}

const MICROS_PER_SATOSHI = 1_000_000n;
const BYTES_PER_KIB = 1_024n;
const BYTES_PER_MIB = 1_048_576n;
const DAYS_PER_MONTH = 30n;
/** 2^48 - 1: a derivation prefix has 6 bytes for the price. More can't be asked for. */
const MAX_PRICE = 281_474_976_710_655n;

/** Whether a send can have a price. */
export function hasSendPrice({ perSend, perRecipient, perKib, perMibMonth }: PriceList): boolean {
  return perSend + perRecipient + perKib + perMibMonth > 0;
}

/** The price of a send in whole satoshis: the sum is rounded up, and not its parts. 0 without recipients who cost something. */
export function getSendPrice(prices: PriceList, { recipients, requestBytes, storedBytes }: SendSize): number {
  if (recipients === 0) return 0;
  const scale = BYTES_PER_MIB * DAYS_PER_MONTH;
  const sum =
    (BigInt(prices.perSend) + BigInt(prices.perRecipient) * BigInt(recipients)) * scale +
    BigInt(prices.perKib) * BigInt(requestBytes) * (scale / BYTES_PER_KIB) +
    BigInt(prices.perMibMonth) * BigInt(storedBytes) * BigInt(prices.storageDays);
  return toSatoshis(sum, scale);
}

/** The price of one response to a list, in whole satoshis. */
export function getListPrice({ perListPage }: PriceList): number {
  return toSatoshis(BigInt(perListPage), 1n);
}

function toSatoshis(micros: bigint, scale: bigint): number {
  const unit = MICROS_PER_SATOSHI * scale;
  const satoshis = (micros + unit - 1n) / unit;
  return Number(satoshis > MAX_PRICE ? MAX_PRICE : satoshis);
}

/** The prices as clients read them, in satoshis. */
export interface DescribedPrices {
  readonly perSend: number;
  readonly perRecipient: number;
  readonly perKib: number;
  readonly perMibMonth: number;
  readonly perListPage: number;
  /** For how many days storage is paid. */
  readonly storageDays: number;
  /** Whether recipients who have allowed the sender by name cost nothing. */
  readonly exemptsAllowed: boolean;
}

/** Describes the prices for clients, in satoshis with up to six decimals. The price of a request is their sum, rounded up. */
export function describePrices(prices: PriceList): DescribedPrices {
  const inSatoshis = (micros: number) => micros / Number(MICROS_PER_SATOSHI);
  return {
    perSend: inSatoshis(prices.perSend),
    perRecipient: inSatoshis(prices.perRecipient),
    perKib: inSatoshis(prices.perKib),
    perMibMonth: inSatoshis(prices.perMibMonth),
    perListPage: inSatoshis(prices.perListPage),
    storageDays: prices.storageDays,
    exemptsAllowed: prices.exemptsAllowed,
  };
}
