import { callApi } from '../api/call.js';
import { serverNow } from '../api/server-clock.js';
import type { CurrentIdentity } from '../identity/current-identity.js';
import { type MailMessage, parseMessage } from './mail-message.js';

/** Verifying an answer takes this browser about 1.6 s for each MB, during which the page does nothing else. */
const PAGE_SIZE = 250;

export interface ListOptions {
  readonly messageBox: string;
  /** Where an earlier list ended; undefined to begin with the oldest message. */
  readonly after: string | undefined;
  /** Gets the number of messages so far. */
  readonly onProgress: (count: number) => void;
  /** Ends the list early. */
  readonly signal: AbortSignal;
}

/** Messages of a box, oldest first, and where the next list begins. */
export interface Listed {
  readonly messages: readonly MailMessage[];
  readonly after: string | undefined;
}

/**
 * Lists a box, page by page.
 *
 * @throws {ApiError}
 */
export async function listMessages(identity: CurrentIdentity, options: ListOptions): Promise<Listed> {
  const { messageBox, onProgress, signal } = options;
  const messages: MailMessage[] = [];
  let { after } = options;
  for (let hasMore = true; hasMore && !signal.aborted; ) {
    const request = { messageBox, limit: PAGE_SIZE, ...(after === undefined ? {} : { after }) };
    const page = await callApi(identity, 'POST', '/listMessages', request);
    const listed = Array.isArray(page['messages']) ? page['messages'] : [];
    messages.push(
      ...listed.map((value) => parseMessage(value, serverNow())).filter((message) => message !== undefined),
    );
    onProgress(messages.length);
    if (typeof page['next'] === 'string') after = page['next'];
    hasMore = page['hasMore'] === true;
    // Lets the page answer the visitor between two pages.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return { messages, after };
}
