import {
  type Delivery,
  type PriceReference,
  RuleError,
  toStoredBody,
  toStoredBodyWithPayment,
} from '@messagebox/messages';
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
  }[];
  /** When messages without outputs expire: ISO 8601. Those with outputs carry a payment, and never expire. */
  readonly expiresAt?: string;
  /** As it was sent. The stored form is made to fit wallets. */
  readonly description?: string;
  readonly labels?: readonly string[];
  /** The payment for the price of the request, which is used up when the messages are stored. */
  readonly price?: PriceReference;
}

/**
 * Bytes of the stored messages, `each` and `all` of them. Each paid recipient gets the whole transaction as a JSON list of
 * numbers, so a small request can become large. A message must also fit into a packet to the database when every quote is
 * escaped.
 */
const MAX_STORED_BYTES = { each: 8 * 1024 * 1024, all: 16 * 1024 * 1024 };
/** Outputs of one message. Clients refuse a payment that has more. */
const MAX_OUTPUTS_OF_MESSAGE = 101;

/**
 * Builds the messages as they are stored. A paid recipient gets its part of the payment beside the body.
 *
 * @param beef AtomicBEEF
 */
export function expandDelivery(sender: string, beef: Uint8Array, delivery: PaidDelivery): Delivery {
  const { messageBox, body, messages, expiresAt } = delivery;
  const plain = toStoredBody(body);
  const [before, after] = splitPaymentJson(beef, delivery);
  return {
    liveBody: body,
    messages: messages.map(({ recipient, messageId, outputs }) => ({
      recipient,
      messageBox,
      messageId,
      sender,
      carriesPayment: outputs.length > 0,
      ...(outputs.length > 0 || expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      body: outputs.length === 0 ? plain : toStoredBodyWithPayment(body, `${before}${JSON.stringify(outputs)}${after}`),
    })),
  };
}

/** @throws {RuleError} `ERR_INVALID_PAYMENT` when a message would be too large, or cannot be written as JSON */
export function assertDeliverySize(beef: Uint8Array, delivery: PaidDelivery): void {
  const paid = delivery.messages.filter(({ outputs }) => outputs.length > 0);
  if (paid.length === 0) return;
  const shared =
    Buffer.byteLength(splitPaymentJson(beef, delivery).join('')) + Buffer.byteLength(JSON.stringify(delivery.body));
  let all = 0;
  for (const { outputs } of paid) {
    if (outputs.length > MAX_OUTPUTS_OF_MESSAGE) {
      const description = `A message may have ${MAX_OUTPUTS_OF_MESSAGE} outputs of the payment, and one has ${outputs.length}.`;
      throw new RuleError('ERR_INVALID_PAYMENT', description);
    }
    const each = shared + Buffer.byteLength(stringifyOutputs(outputs));
    all += each;
    if (each <= MAX_STORED_BYTES.each && all <= MAX_STORED_BYTES.all) continue;
    throw new RuleError(
      'ERR_INVALID_PAYMENT',
      `The payment's transaction is too large to be passed on to ${paid.length} recipients. Use several smaller requests.`,
    );
  }
}

/** Bytes of UTF-8 of each message as it is stored, in their order. */
export function countStoredBytes(beef: Uint8Array, delivery: PaidDelivery): number[] {
  const plain = Buffer.byteLength(toStoredBody(delivery.body));
  if (delivery.messages.every(({ outputs }) => outputs.length === 0)) return delivery.messages.map(() => plain);
  const paid = Buffer.byteLength(toStoredBodyWithPayment(delivery.body, splitPaymentJson(beef, delivery).join('')));
  return delivery.messages.map(({ outputs }) =>
    outputs.length === 0 ? plain : paid + Buffer.byteLength(stringifyOutputs(outputs)),
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
function splitPaymentJson(beef: Uint8Array, { description, labels }: PaidDelivery): [string, string] {
  const rest = JSON.stringify({ description: toWalletDescription(description), labels }).slice(1);
  return [`{"tx":[${beef.join(',')}],"outputs":`, rest === '}' ? rest : `,${rest}`];
}
