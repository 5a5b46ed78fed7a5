/** How many bytes of a large body or frame are read before other clients are served. */
export const READ_CHUNK_BYTES = 262_144;

/** The cost of reading one byte of a large body or frame and of keeping it until the rest has arrived. Milliseconds. */
export const READ_COST_MS_PER_BYTE = 2 / 1_048_576;
