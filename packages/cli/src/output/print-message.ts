import type { ReadBody } from '../client/message-crypto.js';
import { toInert } from './inert-text.js';
import type { Printer } from './printer.js';

/** A message with its text, as commands print it. */
export interface PrintedMessage extends ReadBody {
  readonly messageBox: string;
  readonly messageId: string;
  readonly sender: string;
  /** ISO 8601. Undefined: not told. */
  readonly createdAt?: string | undefined;
  readonly expiresAt?: string | undefined;
}

/** Prints a message as one line of JSON. */
export function printMessageJson(
  printer: Printer,
  { text, isEncrypted, hasPayment, ...message }: PrintedMessage,
): void {
  printer.json({
    ...message,
    body: text ?? null,
    encrypted: isEncrypted,
    payment: hasPayment,
    ...(text === undefined ? { problem: 'can not be decrypted with this identity' } : {}),
  });
}

/** Prints a message for a person: a line about it, and its text, indented. */
export function printMessage(printer: Printer, message: PrintedMessage): void {
  const remarks = [
    message.createdAt && toLocalTime(message.createdAt),
    message.messageBox,
    !message.isEncrypted && 'not encrypted',
    message.hasPayment && 'with a payment',
    message.expiresAt && `expires ${toLocalTime(message.expiresAt)}`,
  ].filter(Boolean);
  printer.line(printer.style('dim', toInert(remarks.join('  '))));
  printer.line(`${printer.style('dim', 'from')} ${toInert(message.sender)}`);
  printer.line(`${printer.style('dim', 'id  ')} ${toInert(message.messageId)}`);
  const text =
    message.text === undefined
      ? printer.style('yellow', 'It can not be decrypted with this identity.')
      : toInert(message.text, { keepLines: true });
  printer.line(`  ${text.replaceAll('\n', '\n  ')}`);
  printer.line();
}

function toLocalTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : time.toLocaleString('sv-SE');
}
