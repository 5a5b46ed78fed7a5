import { fromHex } from '../wire/bytes.js';
import type { ExplainSources } from './explain-signature.js';
import { code, type Step, text } from './steps.js';

/** Explains the id of a message that is sent, when it is the HMAC which the client makes by default. */
export function explainMessageId(sent: unknown, { calls }: ExplainSources): Step[] {
  const id = readMessageId(sent);
  const bytes = id === undefined ? undefined : fromHex(id);
  const call = bytes === undefined || bytes.length === 0 ? undefined : calls.find('createHmac', bytes)[0];
  if (id === undefined || call === undefined) return [];
  return [
    {
      title: 'The message gets its id',
      text: 'The client names a message by an HMAC of its body, under a key that sender and recipient share. The same body to the same recipient has the same id, so that a repeated send is stored once.',
      facts: [
        text('Security level and protocol', `${call.protocolID?.[0] ?? ''}, ${call.protocolID?.[1] ?? ''}`),
        text('Key id', call.keyID ?? ''),
        code('Counterparty', call.counterparty ?? ''),
        code('Message id', id),
      ],
      verified: undefined,
    },
  ];
}

/** The message id in the body of /sendMessage, or in the event sendMessage: both hold `{message: {messageId}}`. */
function readMessageId(sent: unknown): string | undefined {
  const message = readField(sent, 'message');
  const id = readField(message, 'messageId');
  return typeof id === 'string' ? id : undefined;
}

function readField(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
