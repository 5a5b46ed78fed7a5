/** The accepted sizes of a client's session nonce, in bytes. Every known client sends 48. */
export const MIN_CLIENT_NONCE_BYTES = 16;
export const MAX_CLIENT_NONCE_BYTES = 128;
