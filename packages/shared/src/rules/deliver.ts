import type { PushNotes } from '../push/push-notes.js';
import type { RoomEventPublisher } from '../room-events/room-events.js';
import type { Alongside, MessageStore, NewMessage } from '../store/index.js';

export interface DeliverParts {
  readonly store: MessageStore;
  readonly events: RoomEventPublisher;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushNotes | undefined;
}

export interface Delivery {
  /** As they are stored. */
  readonly messages: readonly NewMessage[];
  /** What is pushed live: the body as it was sent, where the stored form may be wrapped. */
  readonly liveBody: string;
}

/**
 * Stores messages that may be stored, and tells whoever waits for them. It resolves after commit; telling is best effort
 * and comes after it, for those that are new.
 *
 * @throws {MessageIdTakenError}, {StoreUnavailableError} nothing stored, and nothing of `alongside` written
 */
export async function deliver(parts: DeliverParts, delivery: Delivery, alongside?: Alongside): Promise<void> {
  const { messages, liveBody } = delivery;
  const notes = parts.push?.alongside(messages);
  const outcomes = await parts.store.storeMessages(messages, both(notes, alongside));
  messages.forEach((message, i) => {
    if (outcomes[i] === 'stored') parts.events.publish({ ...message, body: liveBody });
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
