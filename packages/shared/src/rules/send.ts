import type { SendRates } from '../limits/send-rates.js';
import { MessageIdTakenError } from '../store/index.js';
import { type ChargeParts, type Charges, charges } from './charges.js';
import { deliverFree } from './deliver-free.js';
import { type NormaliseKey, parseSend, type SendCommand } from './parse-send.js';
import { RuleError } from './rule-error.js';
import { paymentNotSupported, type SettleParts, settle } from './settle.js';
import { withQuotaRefusals } from './storage.js';

export interface SendParts extends ChargeParts, SettleParts {
  readonly normaliseKey: NormaliseKey;
  /** Undefined: an identity may send as much as it likes. */
  readonly sendRates?: SendRates | undefined;
  /** Of one send. */
  readonly maxRecipients: number;
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
 * It resolves after commit. A message that was there already is answered like a new one, costs nothing again and is not
 * pushed again. One recipient who has blocked the sender, a quota that is used up, or a payment that falls short, refuses
 * the whole send. Pushing is best effort, comes after the commit and neither delays nor fails the send: the row is the truth.
 *
 * @param sender identity key of the verified session
 * @param request what the client sent, unchecked
 * @throws {RuleError} refused, nothing stored
 * @throws {TooManyRequestsError} likewise
 * @throws {StoreUnavailableError} nothing stored; worth another try
 */
export async function send(parts: SendParts, sender: string, request: unknown): Promise<SendAnswer> {
  // Not awaited here: what was parsed is not kept while the database has the word.
  return sendCommand(parts, sender, parseSend(request, sender, parts.normaliseKey, parts.maxRecipients));
}

async function sendCommand(parts: SendParts, sender: string, command: SendCommand): Promise<SendAnswer> {
  if (command.payment !== undefined && parts.payments === undefined) throw paymentNotSupported();
  const recipients = command.messages.map(({ recipient }) => recipient);
  await parts.sendRates?.admit(sender, recipients.length, Buffer.byteLength(command.liveBody) * recipients.length);
  const cost = await charges(parts, sender, command.messageBox, recipients);
  try {
    await withQuotaRefusals(parts, !command.single, () =>
      needsSettling(command, cost) ? settle(parts, command, cost) : deliverFree(parts, command, cost),
    );
  } catch (error) {
    if (!(error instanceof MessageIdTakenError)) throw error;
    throw new RuleError(
      'ERR_DUPLICATE_MESSAGE',
      'The recipient already has a message with this messageId from another sender or in another box. Choose another id.',
    );
  }
  return answer(command.messages, command.single);
}

/** Most sends are free, nobody is blocked, and the store finds out by itself what is there already. */
function needsSettling({ payment }: SendCommand, { deliveryFee, recipientFees }: Charges): boolean {
  return payment !== undefined || deliveryFee !== 0 || recipientFees.some((fee) => fee !== 0);
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
