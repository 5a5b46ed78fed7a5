import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { readArray, readFee, readIdentityKey, readRecord } from './fields.js';
import { toPermissionStatus } from './permission-record.js';
import type { MessageBoxQuote, RecipientQuote } from './types.js';

/** Reads the quote of one recipient. @throws ProtocolViolationError of rule 4 or 9.5 */
export function readQuote(value: unknown, deliveryAgentIdentityKey: string): MessageBoxQuote {
  const quote = readRecord(value, 'a quote');
  return {
    deliveryFee: readFee(quote['deliveryFee'], 'the delivery fee of a quote', 0),
    recipientFee: readFee(quote['recipientFee'], 'the recipient fee of a quote', -1),
    deliveryAgentIdentityKey,
  };
}

/**
 * Reads the quotes of several recipients: exactly one for each requested recipient.
 *
 * @throws ProtocolViolationError of rule 4 or 9.5
 */
export function readQuotes(
  answer: Record<string, unknown>,
  recipients: readonly string[],
  box: string,
): RecipientQuote[] {
  const missing = new Set(recipients);
  const quotes = readArray(answer['quotesByRecipient'], 'quotesByRecipient').map((row) => {
    const quote = readRecipientQuote(row, box);
    if (!missing.delete(quote.recipient))
      throw quoteAnswerError('a quote is for a recipient that was not requested, or is repeated');
    return quote;
  });
  if (missing.size > 0) throw quoteAnswerError('a recipient has no quote');
  checkBlocked(answer['blockedRecipients'], quotes);
  return quotes;
}

function readRecipientQuote(value: unknown, box: string): RecipientQuote {
  const row = readRecord(value, 'the quote of a recipient');
  const recipientFee = readFee(row['recipientFee'], 'the recipient fee of a quote', -1);
  const status = toPermissionStatus(recipientFee);
  if (row['messageBox'] !== box) throw quoteAnswerError('a quote is for another box than the requested one');
  if (row['status'] !== status) throw quoteAnswerError('the status of a quote does not match its fee');
  return {
    recipient: readIdentityKey(row['recipient'], 'the recipient of a quote'),
    messageBox: box,
    deliveryFee: readFee(row['deliveryFee'], 'the delivery fee of a quote', 0),
    recipientFee,
    status,
  };
}

function checkBlocked(value: unknown, quotes: readonly RecipientQuote[]): void {
  const blocked = new Set(quotes.filter(({ status }) => status === 'blocked').map(({ recipient }) => recipient));
  if (value === undefined) return;
  const said = readArray(value, 'blockedRecipients').map((key) => readIdentityKey(key, 'a blocked recipient'));
  const same = said.length === blocked.size && said.every((key) => blocked.has(key));
  if (!same) throw quoteAnswerError('blockedRecipients does not match the quotes with the status blocked');
}

const quoteAnswerError = (text: string) => new ProtocolViolationError('4', text);
