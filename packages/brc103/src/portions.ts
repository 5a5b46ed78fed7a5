/** Bytes of a large body or frame that are read until it is another client's turn. */
export const PORTION_BYTES = 262_144;

/** Milliseconds to read one byte of a large body or frame and to keep it until the rest has come. */
export const READING_MS_PER_BYTE = 2 / 1_048_576;
