import { ProtocolViolation } from '../rules/protocol-violation.js';
import { readArray, readFee, readIdentityKey, readRecord } from './fields.js';
import { statusOfFee } from './permission-record.js';
import type { MessageBoxQuote, RecipientQuote } from './types.js';

/** The price of one recipient. @throws ProtocolViolation of rule 4 or 9.5 */
export function readQuote(value: unknown, deliveryAgentIdentityKey: string): MessageBoxQuote {
  const quote = readRecord(value, 'a quote');
  return {
    deliveryFee: readFee(quote['deliveryFee'], 'the delivery fee of a quote', 0),
    recipientFee: readFee(quote['recipientFee'], 'the recipient fee of a quote', -1),
    deliveryAgentIdentityKey,
  };
}

/**
 * The prices of several recipients: exactly one for each that was asked for.
 * @throws ProtocolViolation of rule 4 or 9.5
 */
export function readQuotes(
  answer: Record<string, unknown>,
  recipients: readonly string[],
  box: string,
): RecipientQuote[] {
  const missing = new Set(recipients);
  const quotes = readArray(answer['quotesByRecipient'], 'quotesByRecipient').map((row) => {
    const quote = readRecipientQuote(row, box);
    if (!missing.delete(quote.recipient)) throw broken('a quote is for a recipient who was not asked for, or has one');
    return quote;
  });
  if (missing.size > 0) throw broken('a recipient has no quote');
  checkBlocked(answer['blockedRecipients'], quotes);
  return quotes;
}

function readRecipientQuote(value: unknown, box: string): RecipientQuote {
  const row = readRecord(value, 'the quote of a recipient');
  const recipientFee = readFee(row['recipientFee'], 'the recipient fee of a quote', -1);
  const status = statusOfFee(recipientFee);
  if (row['messageBox'] !== box) throw broken('a quote is for another box than the one that was asked for');
  if (row['status'] !== status) throw broken('the status of a quote is not the one of its fee');
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
  if (!same) throw broken('blockedRecipients are not those whose quotes say that they have blocked');
}

const broken = (text: string) => new ProtocolViolation('4', text);
