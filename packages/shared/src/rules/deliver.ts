import type { PushNotes } from '../push/push-notes.js';
import type { RoomEventPublisher } from '../room-events/room-events.js';
import type { Alongside, MessageStore, NewMessage } from '../store/index.js';

export interface DeliverParts {
  readonly store: MessageStore;
  readonly events: RoomEventPublisher;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushNotes | undefined;
}

/** A message to be stored, and whether it brings its recipient money. */
export interface OutgoingMessage extends NewMessage {
  /** Whether a payment is stored with it. Default: none is. */
  readonly carriesPayment?: boolean;
}

export interface Delivery {
  /** As they are stored. */
  readonly messages: readonly OutgoingMessage[];
  /** What is pushed live: the body as it was sent, where the stored form may be wrapped. */
  readonly liveBody: string;
}

/**
 * Stores messages that may be stored, and tells whoever waits for them. It resolves after commit; telling is best effort
 * and comes after it, for those that are new.
 *
 * A message that carries a payment is not pushed live, not even its body: clients acknowledge what they were pushed, and
 * the payment would be gone. Its recipient lists it; devices are told of it like of any other.
 *
 * @throws {MessageIdTakenError}, {StoreUnavailableError} nothing stored, and nothing of `alongside` written
 */
export async function deliver(parts: DeliverParts, delivery: Delivery, alongside?: Alongside): Promise<void> {
  const { messages, liveBody } = delivery;
  const notes = parts.push?.alongside(messages);
  const outcomes = await parts.store.storeMessages(messages, both(notes, alongside));
  messages.forEach((message, i) => {
    if (outcomes[i] !== 'stored' || message.carriesPayment === true) return;
    const { recipient, messageBox, sender, messageId } = message;
    parts.events.publish({ recipient, messageBox, sender, messageId, body: liveBody });
  });
  if (notes !== undefined && outcomes.includes('stored')) parts.push?.committed();
}

function both(one: Alongside | undefined, other: Alongside | undefined): Alongside | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return async (runner, stored) => {
    await one(runner, stored);
    await other(runner, stored);
  };
}
