import { MessageIdTakenError, UploadUnavailableError } from '@messagebox/store';
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
import { getField, isGiven } from './request-fields.js';
import { withQuotaRuleErrors } from './reserve-storage.js';
import { RuleError } from './rule-error.js';
import type { SendRateLimiter } from './send-rate-limiter.js';
import { checkUploadId, type UploadProcessor, uploadNamedError, uploadsDisabledError } from './upload-processor.js';

/** The options of {@link sendMessages}. */
export interface SendMessagesOptions extends ReadChargesOptions, DeliverChargedMessagesOptions {
  /** Undefined: no limit for the rate of an identity's sends. */
  readonly sendRateLimits?: SendRateLimiter | undefined;
  /** Undefined: messages with uploads are refused. */
  readonly uploads?: UploadProcessor | undefined;
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
  given: SendCommand,
  requestPayment?: RequestPayment,
): Promise<SendMessagesResponse> {
  let command = given;
  const { sender } = command;
  if (options.uploads === undefined && (command.uploadId !== undefined || isGiven(getBeefKey(command)))) {
    throw uploadsDisabledError();
  }
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
  command = await withUploads(options, command);
  try {
    await withQuotaRuleErrors(options, !command.isSingleRecipient, () =>
      hasPrice || isChargedOrBlocked(command, charges)
        ? deliverChargedMessages(options, command, charges, requestPayment)
        : deliverFreeMessages(options, command, charges),
    );
  } catch (error) {
    // Another message has named it since the check.
    if (error instanceof UploadUnavailableError) throw uploadNamedError();
    if (!(error instanceof MessageIdTakenError)) throw error;
    throw new RuleError(
      'ERR_DUPLICATE_MESSAGE',
      'The recipient already has a message with this messageId from another sender or in another box. Choose another id.',
    );
  }
  return toSendMessagesResponse(command.messages, command.isSingleRecipient);
}

/** Checks the uploads of a send: its message's, and that of its payment's transaction. Most sends have none. */
async function withUploads({ uploads }: SendMessagesOptions, command: SendCommand): Promise<SendCommand> {
  const { uploadId, sender } = command;
  const beefKey = getBeefKey(command);
  const [message] = command.messages;
  if (uploads === undefined || message === undefined || (uploadId === undefined && !isGiven(beefKey))) return command;
  const { recipient, messageId } = message;
  const check = async (id: string) => ({
    uploadId: id,
    bytes: await uploads.check({ uploadId: id, sender, recipient, messageId }),
  });
  const beefUpload = isGiven(beefKey) ? await check(checkUploadId(beefKey, 'payment.beefR2Key')) : undefined;
  if (uploadId === undefined) return { ...command, beefUpload };
  return { ...command, beefUpload, messages: [{ ...message, upload: await check(uploadId) }] };
}

/** The reference to the transaction of a payment, which has no `tx` then. */
function getBeefKey({ payment }: SendCommand): unknown {
  return getField(payment, 'beefR2Key');
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
