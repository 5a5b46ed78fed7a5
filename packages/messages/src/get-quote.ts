import { BLOCKED } from '@messagebox/store';
import { type PermissionStatus, type ReadChargesOptions, readCharges, toPermissionStatus } from './charges.js';
import { tooManyRecipientsError } from './parse-send.js';
import { checkMessageBox, getEitherField, getField, isGiven, type NormaliseKey } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { sumFees } from './sum-fees.js';

/** The options of {@link getQuote}. */
export interface GetQuoteOptions extends ReadChargesOptions {
  readonly normaliseKey: NormaliseKey;
  /** Most recipients of one quote. */
  readonly maxRecipients: number;
}

/** The response for one recipient. */
export interface SingleQuoteResponse {
  readonly status: 'success';
  readonly description: string;
  readonly quote: { readonly deliveryFee: number; readonly recipientFee: number };
}

/** The cost of a message to one recipient. */
export interface RecipientQuote {
  /** In the spelling of the request, by which clients look their recipients up. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly deliveryFee: number;
  /** -1: blocked. */
  readonly recipientFee: number;
  readonly status: PermissionStatus;
}

/** The response for several recipients. */
export interface MultiQuoteResponse {
  readonly status: 'success';
  readonly description: string;
  readonly quotesByRecipient: RecipientQuote[];
  /** Sums over the recipients who have not blocked the caller, for one send to each; a send to all has one delivery fee. */
  readonly totals: {
    readonly deliveryFees: number;
    readonly recipientFees: number;
    readonly totalForPayableRecipients: number;
  };
  readonly blockedRecipients: string[];
}

/**
 * Reads the present cost of a send of the caller. Writes nothing.
 *
 * @param request `{recipient: key | key[], messageBox}`, unchecked; at most `maxRecipients` recipients
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function getQuote(
  options: GetQuoteOptions,
  caller: string,
  request: unknown,
): Promise<SingleQuoteResponse | MultiQuoteResponse> {
  const box = getEitherField(request, 'messageBox', 'message_box');
  const given = getField(request, 'recipient');
  const requested: unknown[] = Array.isArray(given) ? given : isGiven(given) ? [given] : [];
  if (!isGiven(box) || requested.length === 0) {
    throw new RuleError('ERR_MISSING_PARAMETERS', 'Please give recipient and messageBox.');
  }
  if (requested.length > options.maxRecipients) {
    throw tooManyRecipientsError('recipient', requested.length, options.maxRecipients);
  }
  const recipients = requested.map((recipient) => {
    const key = typeof recipient === 'string' ? options.normaliseKey(recipient) : undefined;
    if (key === undefined) throw new RuleError('ERR_INVALID_PUBLIC_KEY', 'A recipient is not a valid public key.');
    return key;
  });
  const messageBox = checkMessageBox(box);
  const { deliveryFee, recipientFees } = await readCharges(options, caller, messageBox, recipients);
  const [only] = recipientFees;
  if (recipientFees.length === 1 && only !== undefined) {
    return { status: 'success', description: 'The cost of this message.', quote: { deliveryFee, recipientFee: only } };
  }
  const quotes = recipientFees.map((recipientFee, i) => ({
    recipient: String(requested[i]),
    messageBox,
    deliveryFee,
    recipientFee,
    status: toPermissionStatus(recipientFee),
  }));
  return toMultiQuoteResponse(quotes);
}

function toMultiQuoteResponse(quotesByRecipient: RecipientQuote[]): MultiQuoteResponse {
  const isBlocked = ({ recipientFee }: RecipientQuote) => recipientFee === BLOCKED;
  const payable = quotesByRecipient.filter((one) => !isBlocked(one));
  const deliveryFees = sumFees(payable.map((one) => one.deliveryFee));
  const recipientFees = sumFees(payable.map((one) => one.recipientFee));
  return {
    status: 'success',
    description: `The cost of a message to these ${quotesByRecipient.length} recipients.`,
    quotesByRecipient,
    totals: { deliveryFees, recipientFees, totalForPayableRecipients: sumFees([deliveryFees, recipientFees]) },
    blockedRecipients: [...new Set(quotesByRecipient.filter(isBlocked).map(({ recipient }) => recipient))],
  };
}
