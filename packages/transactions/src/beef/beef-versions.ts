/** The first four bytes of a BEEF as little-endian numbers: BRC-62, BRC-96, and BRC-95, which wraps one of them. */
export const BEEF_V1 = 0xefbe0001;
export const BEEF_V2 = 0xefbe0002;
export const ATOMIC_BEEF = 0x01010101;
