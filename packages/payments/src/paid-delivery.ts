import {
  type Delivery,
  formatCount,
  type PriceReference,
  RuleError,
  toStoredBody,
  toStoredBodyWithPayment,
} from '@messagebox/messages';
import type { MessageUpload } from '@messagebox/store';
import { countByteListCharacters, formatByteList } from './byte-list.js';
import { toWalletDescription } from './payment-description.js';

/** The messages of a payment as they are recorded, without what can be computed from the payment. */
export interface PaidDelivery {
  readonly messageBox: string;
  /** The body as it was sent. */
  readonly body: string;
  readonly messages: readonly {
    readonly recipient: string;
    readonly messageId: string;
    /** The recipient's outputs of the payment, as the sender described them. */
    readonly outputs: readonly object[];
    /** The upload that the message names. */
    readonly upload?: MessageUpload;
  }[];
  /** The message's upload has the transaction, which the recipient gets there. Undefined: it is in the message. */
  readonly beefR2Key?: string;
  /** When messages without outputs expire: ISO 8601. Those with outputs carry a payment, and never expire. */
  readonly expiresAt?: string;
  /** No device is told of the messages. */
  readonly isSilent?: true;
  /** As it was sent. The stored form is made to fit wallets. */
  readonly description?: string;
  readonly labels?: readonly string[];
  /** The payment for the price of the request, which is used up when the messages are stored. */
  readonly price?: PriceReference;
}

/** Limits of the messages with their payment, in bytes. */
export interface DeliverySizes {
  /** Of each message as it is stored. It must fit into a packet to the database when every quote is escaped. */
  readonly each: number;
  /** Of all of them. */
  readonly all: number;
  /** Of each message as JSON in a list. A client that can't list its message can't take its money. */
  readonly listed: number;
}

/** Outputs of one message. Clients refuse a payment that has more. */
const MAX_OUTPUTS_OF_MESSAGE = 101;

/**
 * Builds the messages as they are stored. A paid recipient gets its part of the payment beside the body.
 *
 * @param beef AtomicBEEF
 */
export function expandDelivery(sender: string, beef: Uint8Array, delivery: PaidDelivery): Delivery {
  const { messageBox, body, messages, expiresAt, isSilent } = delivery;
  const plain = toStoredBody(body);
  const [before, after] = splitPaymentJson(beef, delivery);
  return {
    liveBody: body,
    messages: messages.map(({ recipient, messageId, outputs, upload }) => ({
      recipient,
      messageBox,
      messageId,
      sender,
      carriesPayment: outputs.length > 0,
      ...(upload === undefined ? {} : { upload }),
      ...(outputs.length > 0 || expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      ...(isSilent === true ? { isSilent } : {}),
      body: outputs.length === 0 ? plain : toStoredBodyWithPayment(body, `${before}${JSON.stringify(outputs)}${after}`),
    })),
  };
}

/**
 * Checks that every message with its payment can be stored and listed.
 *
 * @throws {RuleError} `ERR_INVALID_PAYMENT` with the limit when a message would be too large, or cannot be written as JSON
 */
export function assertDeliverySize(beef: Uint8Array, delivery: PaidDelivery, sizes: DeliverySizes): void {
  const paid = delivery.messages.filter(({ outputs }) => outputs.length > 0);
  if (paid.length === 0) return;
  const txBytes = countTxCharacters(beef, delivery);
  const withoutTx = expandWithoutTx(delivery);
  const shared = txBytes + Buffer.byteLength(withoutTx);
  // Within the JSON of a list, the quotes of the stored JSON are escaped once more.
  const listedShared = txBytes + Buffer.byteLength(JSON.stringify(withoutTx));
  let all = 0;
  for (const { outputs } of paid) {
    if (outputs.length > MAX_OUTPUTS_OF_MESSAGE) {
      const description = `A message may have ${MAX_OUTPUTS_OF_MESSAGE} outputs of the payment, and one has ${outputs.length}.`;
      throw new RuleError('ERR_INVALID_PAYMENT', description);
    }
    const own = stringifyOutputs(outputs);
    const each = shared + Buffer.byteLength(own);
    all += each;
    if (each > sizes.each) throw tooLargeError('The message with its payment has', each, sizes.each);
    const listed = listedShared + countEscapedBytes(own);
    if (listed > sizes.listed) throw tooLargeError('In a list, the message with its payment has', listed, sizes.listed);
  }
  if (all > sizes.all) {
    throw tooLargeError(`The ${paid.length} messages with their payments have`, all, sizes.all);
  }
}

function tooLargeError(what: string, size: number, limit: number): RuleError {
  return new RuleError(
    'ERR_INVALID_PAYMENT',
    `${what} ${formatCount(size)} bytes; the limit is ${formatCount(limit)}. Use several smaller requests.`,
    400,
    { field: 'payment.tx', limit, size },
  );
}

/** The characters of the transaction's bytes as they are in the message; none when it is in an upload. */
function countTxCharacters(beef: Uint8Array, { beefR2Key }: PaidDelivery): number {
  return beefR2Key === undefined ? countByteListCharacters(beef) : 0;
}

/** A stored message with its payment, without the bytes of the transaction and without outputs. */
function expandWithoutTx(delivery: PaidDelivery): string {
  return toStoredBodyWithPayment(delivery.body, splitPaymentJson(new Uint8Array(), delivery).join(''));
}

/** Bytes of a text within a JSON string, without its quotes. */
function countEscapedBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** Bytes of UTF-8 of each message as it is stored, in their order, with the upload of the transaction. */
export function countStoredBytes(beef: Uint8Array, delivery: PaidDelivery): number[] {
  const plain = Buffer.byteLength(toStoredBody(delivery.body));
  if (delivery.messages.every(({ outputs }) => outputs.length === 0)) return delivery.messages.map(() => plain);
  const paid = Buffer.byteLength(expandWithoutTx(delivery)) + countTxCharacters(beef, delivery);
  const uploaded = delivery.beefR2Key === undefined ? 0 : (delivery.messages[0]?.upload?.bytes ?? 0);
  return delivery.messages.map(({ outputs }) =>
    outputs.length === 0 ? plain : paid + Buffer.byteLength(stringifyOutputs(outputs)) + uploaded,
  );
}

function stringifyOutputs(outputs: readonly object[]): string {
  try {
    return JSON.stringify(outputs);
  } catch {
    throw new RuleError('ERR_INVALID_PAYMENT', 'payment.outputs is nested too deeply.');
  }
}

/** The JSON of a recipient's part of the payment, before and after its outputs. */
function splitPaymentJson(beef: Uint8Array, { description, labels, beefR2Key }: PaidDelivery): [string, string] {
  const rest = JSON.stringify({ description: toWalletDescription(description), labels }).slice(1);
  const transaction =
    beefR2Key === undefined ? `"tx":[${formatByteList(beef)}]` : `"beefR2Key":${JSON.stringify(beefR2Key)}`;
  return [`{${transaction},"outputs":`, rest === '}' ? rest : `,${rest}`];
}
