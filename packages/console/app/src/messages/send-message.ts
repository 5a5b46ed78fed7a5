import { ApiError } from '../api/api-error.js';
import { callApi } from '../api/call.js';
import { serverUrl } from '../api/server-url.js';
import type { CurrentIdentity } from '../identity/current-identity.js';
import type { Mailbox } from './mailbox.js';

export interface Outgoing {
  /** 66 hex characters. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly text: string;
  readonly isEncrypted: boolean;
}

/** What a message costs, in satoshis. */
export interface Quote {
  readonly deliveryFee: number;
  /** -1: the recipient has blocked this sender. */
  readonly recipientFee: number;
}

const MESSAGE_ID_BYTES = 32;

/**
 * Asks what a message would cost.
 *
 * @throws {ApiError}
 */
export async function fetchQuote(identity: CurrentIdentity, recipient: string, messageBox: string): Promise<Quote> {
  const answer = await callApi(identity, 'GET', `/permissions/quote?${new URLSearchParams({ recipient, messageBox })}`);
  const { deliveryFee, recipientFee } = (answer['quote'] ?? {}) as Record<string, unknown>;
  if (typeof deliveryFee !== 'number' || typeof recipientFee !== 'number') {
    throw new ApiError(200, 'ERR_UNKNOWN', 'The server did not say what a message costs.');
  }
  return { deliveryFee, recipientFee };
}

/**
 * Sends a message with the public client: live when there is a connection, and over HTTP when there is none, when the live
 * send fails, and when something has to be paid.
 *
 * @param quote what it costs; a wallet pays it
 * @throws {ApiError | Error} when it was not stored
 */
export async function sendMessage(mailbox: Mailbox, outgoing: Outgoing, quote: Quote): Promise<void> {
  const { getMessageBoxClient, withReason } = await import('../identity/clients.js');
  const { recipient, messageBox, text, isEncrypted } = outgoing;
  // By default the client makes the id of the text, so that a text sent twice would arrive once.
  const messageId = makeMessageId();
  const message = { recipient, messageBox, body: text, messageId, skipEncryption: !isEncrypted };
  const isFree = quote.deliveryFee + quote.recipientFee <= 0;
  const live = mailbox.connection.client;
  if (isFree && live !== undefined) {
    await withReason(live, (client) => client.sendLiveMessage(message, serverUrl));
  } else {
    const paid = { ...message, checkPermissions: !isFree };
    await withReason(getMessageBoxClient(mailbox.identity), (client) => client.sendMessage(paid, serverUrl));
  }
}

function makeMessageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(MESSAGE_ID_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
