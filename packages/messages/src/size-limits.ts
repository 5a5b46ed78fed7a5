import { MAX_MESSAGE_ID_BYTES, MAX_NAME_CODE_POINTS } from './names.js';

/**
 * The limits of messages that no setting changes. The rules enforce them, and `GET /info` shows them, so that a client can
 * read a limit before it hits it.
 */
export const MESSAGE_LIMITS = {
  /** Unicode code points of a box name, and of a message id. */
  nameCharacters: MAX_NAME_CODE_POINTS,
  /** Bytes of a message id, which may then have any number of code points. */
  messageIdBytes: MAX_MESSAGE_ID_BYTES,
  /** Bytes of a body times its recipients: each gets a copy, so a small request can store a lot. */
  copiedBytes: 64 * 1024 * 1024,
  /** A page of a list by `offset`. Clients must verify a response within 30 s; a browser needs 1.6 s for this size. */
  offsetPage: { messages: 1_000, bytes: 1_048_576 },
  /** Highest `offset`. */
  offset: 100_000,
  /** Messages in a page of a list by cursor. */
  cursorPageMessages: 10_000,
  /**
   * Bytes of one message as JSON in a list. Clients refuse a response of more than 16 MiB, and would never get past a larger
   * message; this leaves room for the fields beside the body.
   */
  listedBytes: 16_000_000,
  /** Years that a message's `expiresAt` may be ahead. */
  expiryYears: 1,
} as const;

/** A number for people: 1,048,576. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
