import type { PushNotes } from '../push/push-notes.js';
import type { RoomEventPublisher } from '../room-events/room-events.js';
import { MessageIdTakenError, type MessageStore } from '../store/index.js';
import { type NormaliseKey, parseSend } from './parse-send.js';
import { RuleError } from './rule-error.js';

export interface SendParts {
  readonly store: MessageStore;
  readonly events: RoomEventPublisher;
  readonly normaliseKey: NormaliseKey;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushNotes | undefined;
}

/** What `/sendMessage` answers. With several recipients `messageId` is the list, and `message` says how many. */
export interface SendAnswer {
  readonly status: 'success';
  readonly messageId: string | string[];
  readonly message: string;
  readonly results: { recipient: string; messageId: string }[];
}

/**
 * Sends a message to one or many recipients: the one rule behind HTTP and sockets.
 *
 * It resolves after commit. A message that was there already is answered like a new one and not pushed again. Pushing
 * is best effort, comes after the commit and neither delays nor fails the send: the row is the truth.
 *
 * @param sender identity key of the verified session
 * @param request what the client sent, unchecked
 * @throws {RuleError} refused, nothing stored
 * @throws {StoreUnavailableError} nothing stored; worth another try
 */
export async function send(parts: SendParts, sender: string, request: unknown): Promise<SendAnswer> {
  const command = parseSend(request, sender, parts.normaliseKey);
  const notes = parts.push?.alongside(command.messages);
  const outcomes = await parts.store.storeMessages(command.messages, notes).catch((error: unknown) => {
    if (!(error instanceof MessageIdTakenError)) throw error;
    throw new RuleError(
      'ERR_DUPLICATE_MESSAGE',
      'The recipient already has a message with this messageId from another sender or in another box. Choose another id.',
    );
  });
  command.messages.forEach((message, i) => {
    if (outcomes[i] === 'stored') parts.events.publish({ ...message, body: command.liveBody });
  });
  if (notes !== undefined && outcomes.includes('stored')) parts.push?.committed();
  return answer(command.messages, command.single);
}

function answer(messages: readonly { recipient: string; messageId: string }[], single: boolean): SendAnswer {
  const results = messages.map(({ recipient, messageId }) => ({ recipient, messageId }));
  const first = results[0];
  if (single && first !== undefined) {
    return {
      status: 'success',
      messageId: first.messageId,
      message: `Your message has been sent to ${first.recipient}`,
      results,
    };
  }
  return {
    status: 'success',
    messageId: results.map((result) => result.messageId),
    message: `Your message has been sent to ${results.length} recipients.`,
    results,
  };
}
