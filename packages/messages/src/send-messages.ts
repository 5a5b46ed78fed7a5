import { MessageIdTakenError } from '@messagebox/store';
import { type Charges, type ReadChargesOptions, readCharges } from './charges.js';
import {
  type DeliverChargedMessagesOptions,
  deliverChargedMessages,
  paymentNotSupportedError,
} from './deliver-charged-messages.js';
import { deliverFreeMessages } from './deliver-free-messages.js';
import type { SendCommand } from './parse-send.js';
import { hasSendPrice } from './prices/price-list.js';
import type { RequestPayment } from './prices/request-payment.js';
import { withQuotaRuleErrors } from './reserve-storage.js';
import { RuleError } from './rule-error.js';
import type { SendRateLimiter } from './send-rate-limiter.js';

/** The options of {@link sendMessages}. */
export interface SendMessagesOptions extends ReadChargesOptions, DeliverChargedMessagesOptions {
  /** Undefined: no limit for the rate of an identity's sends. */
  readonly sendRateLimits?: SendRateLimiter | undefined;
}

/** The response to `POST /sendMessage`. With several recipients `messageId` is a list, and `message` has their number. */
export interface SendMessagesResponse {
  readonly status: 'success';
  readonly messageId: string | string[];
  readonly message: string;
  readonly results: { recipient: string; messageId: string }[];
}

/**
 * Sends a message to one or many recipients. This is the one rule for HTTP and sockets.
 *
 * It resolves after the commit. A message that is stored already is answered like a new one, costs nothing again and is not
 * published again. The whole send is refused when one recipient has blocked the sender, a quota is used up, or the payment
 * is too low. Live delivery is best effort: it comes after the commit, and neither delays the send nor makes it fail.
 *
 * A send that has a price, in addition to fees, is paid with its HTTP request. The price is due when nothing else can refuse the
 * send. A request that was carried out with the same payment before is answered with success, and nothing is done.
 *
 * @param requestPayment how the request is paid; undefined live, where prices can't be paid
 * @throws {RuleError} refused, nothing stored
 * @throws {TooManyRequestsError} refused by the rate limit, nothing stored
 * @throws {StoreUnavailableError} nothing stored; a later try may succeed
 */
export async function sendMessages(
  options: SendMessagesOptions,
  command: SendCommand,
  requestPayment?: RequestPayment,
): Promise<SendMessagesResponse> {
  const { sender } = command;
  if (command.payment !== undefined && options.payments === undefined) throw paymentNotSupportedError();
  const recipients = command.messages.map(({ recipient }) => recipient);
  await options.sendRateLimits?.admit(
    sender,
    recipients.length,
    Buffer.byteLength(command.liveBody) * recipients.length,
  );
  const hasPrice = options.prices !== undefined && hasSendPrice(options.prices);
  if (hasPrice && (await requestPayment?.isServed()) === true) {
    return toSendMessagesResponse(command.messages, command.isSingleRecipient);
  }
  const charges = await readCharges(options, sender, command.messageBox, recipients);
  try {
    await withQuotaRuleErrors(options, !command.isSingleRecipient, () =>
      hasPrice || isChargedOrBlocked(command, charges)
        ? deliverChargedMessages(options, command, charges, requestPayment)
        : deliverFreeMessages(options, command, charges),
    );
  } catch (error) {
    if (!(error instanceof MessageIdTakenError)) throw error;
    throw new RuleError(
      'ERR_DUPLICATE_MESSAGE',
      'The recipient already has a message with this messageId from another sender or in another box. Choose another id.',
    );
  }
  return toSendMessagesResponse(command.messages, command.isSingleRecipient);
}

/** False for most sends: they are free, and nobody is blocked. */
function isChargedOrBlocked({ payment }: SendCommand, { deliveryFee, recipientFees }: Charges): boolean {
  return payment !== undefined || deliveryFee !== 0 || recipientFees.some((fee) => fee !== 0);
}

function toSendMessagesResponse(
  messages: readonly { recipient: string; messageId: string }[],
  isSingleRecipient: boolean,
): SendMessagesResponse {
  const results = messages.map(({ recipient, messageId }) => ({ recipient, messageId }));
  const first = results[0];
  if (isSingleRecipient && first !== undefined) {
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
