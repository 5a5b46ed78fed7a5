import { BLOCKED } from '../store/index.js';
import { type ChargeParts, charges, type PermissionStatus, statusOf } from './charges.js';
import { field, type NormaliseKey } from './parse-send.js';
import { checkBox, either, isGiven } from './permissions.js';
import { RuleError } from './rule-error.js';
import { total } from './total.js';

export interface QuoteParts extends ChargeParts {
  readonly normaliseKey: NormaliseKey;
  /** Of one quote. */
  readonly maxRecipients: number;
}

export interface SingleQuoteAnswer {
  readonly status: 'success';
  readonly description: string;
  readonly quote: { readonly deliveryFee: number; readonly recipientFee: number };
}

export interface RecipientQuote {
  /** As it was asked for, also in another spelling: clients look their recipients up by it. */
  readonly recipient: string;
  readonly messageBox: string;
  readonly deliveryFee: number;
  /** -1: blocked. */
  readonly recipientFee: number;
  readonly status: PermissionStatus;
}

export interface MultiQuoteAnswer {
  readonly status: 'success';
  readonly description: string;
  readonly quotesByRecipient: RecipientQuote[];
  /** Of those who have not blocked the caller, for a send to each by itself; one send to all has one delivery fee. */
  readonly totals: {
    readonly deliveryFees: number;
    readonly recipientFees: number;
    readonly totalForPayableRecipients: number;
  };
  readonly blockedRecipients: string[];
}

/**
 * What a send of the caller would cost now. Writes nothing.
 *
 * @param request `{recipient: key | key[], messageBox}`, unchecked; at most `maxRecipients` recipients
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function quote(
  parts: QuoteParts,
  caller: string,
  request: unknown,
): Promise<SingleQuoteAnswer | MultiQuoteAnswer> {
  const box = either(request, 'messageBox', 'message_box');
  const given = field(request, 'recipient');
  const asked: unknown[] = Array.isArray(given) ? given : isGiven(given) ? [given] : [];
  if (!isGiven(box) || asked.length === 0) {
    throw new RuleError('ERR_MISSING_PARAMETERS', 'Please give recipient and messageBox.');
  }
  if (asked.length > parts.maxRecipients) {
    const description = `At most ${parts.maxRecipients} recipients are quoted at once. Ask in portions.`;
    throw new RuleError('ERR_TOO_MANY_RECIPIENTS', description);
  }
  const recipients = asked.map((recipient) => {
    const key = typeof recipient === 'string' ? parts.normaliseKey(recipient) : undefined;
    if (key === undefined) throw new RuleError('ERR_INVALID_PUBLIC_KEY', 'A recipient is not a valid public key.');
    return key;
  });
  const messageBox = checkBox(box);
  const { deliveryFee, recipientFees } = await charges(parts, caller, messageBox, recipients);
  const [only] = recipientFees;
  if (recipientFees.length === 1 && only !== undefined) {
    return { status: 'success', description: 'What this message costs.', quote: { deliveryFee, recipientFee: only } };
  }
  const quotes = recipientFees.map((recipientFee, i) => ({
    recipient: String(asked[i]),
    messageBox,
    deliveryFee,
    recipientFee,
    status: statusOf(recipientFee),
  }));
  return several(quotes);
}

function several(quotesByRecipient: RecipientQuote[]): MultiQuoteAnswer {
  const isBlocked = ({ recipientFee }: RecipientQuote) => recipientFee === BLOCKED;
  const payable = quotesByRecipient.filter((one) => !isBlocked(one));
  const deliveryFees = total(payable.map((one) => one.deliveryFee));
  const recipientFees = total(payable.map((one) => one.recipientFee));
  return {
    status: 'success',
    description: `What a message to these ${quotesByRecipient.length} recipients costs.`,
    quotesByRecipient,
    totals: { deliveryFees, recipientFees, totalForPayableRecipients: total([deliveryFees, recipientFees]) },
    blockedRecipients: [...new Set(quotesByRecipient.filter(isBlocked).map(({ recipient }) => recipient))],
  };
}
