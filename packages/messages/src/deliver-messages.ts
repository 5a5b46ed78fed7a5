import type { MessageStore, NewMessage, TransactionHook } from '@messagebox/store';
import type { PushOutboxWriter } from './push-outbox-writer.js';
import type { RoomEventPublisher } from './room-events.js';

/** The options of {@link deliverMessages}. */
export interface DeliverMessagesOptions {
  readonly store: MessageStore;
  readonly events: RoomEventPublisher;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushOutboxWriter | undefined;
}

/** The messages of one send. */
export interface Delivery {
  /** With the bodies that are stored. */
  readonly messages: readonly NewMessage[];
  /** The body as it was sent, which live recipients get. The stored body may be wrapped. */
  readonly liveBody: string;
}

/**
 * Stores messages, and publishes the new ones to live sockets and devices. Resolves after the commit. Publishing comes after
 * the commit and is best effort.
 *
 * A message with a payment or an upload is not published to sockets: clients acknowledge a live message, and that would be lost.
 * The recipient gets it by listing; devices are notified of it as usual. A message that has expired by now is not published.
 *
 * @throws {MessageIdTakenError}, {StoreUnavailableError} nothing stored, and nothing of `withinTransaction` written
 */
export async function deliverMessages(
  options: DeliverMessagesOptions,
  delivery: Delivery,
  withinTransaction?: TransactionHook,
): Promise<void> {
  const { messages, liveBody } = delivery;
  const pushHook = options.push?.createTransactionHook(messages);
  const results = await options.store.storeMessages(messages, combineHooks(pushHook, withinTransaction));
  const now = Date.now();
  messages.forEach((message, i) => {
    const result = results[i];
    if (result?.outcome !== 'stored' || message.carriesPayment === true || message.upload !== undefined) return;
    if (message.expiresAt !== undefined && message.expiresAt.getTime() <= now) return;
    const { recipient, messageBox, sender, messageId } = message;
    options.events.publish({ recipient, messageBox, sender, messageId, body: liveBody, cursor: result.cursor });
  });
  if (pushHook !== undefined && results.some(({ outcome }) => outcome === 'stored')) options.push?.notifyCommitted();
}

function combineHooks(
  one: TransactionHook | undefined,
  other: TransactionHook | undefined,
): TransactionHook | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return async (runner, stored) => {
    await one(runner, stored);
    await other(runner, stored);
  };
}
