import { type Delivery, RuleError, storedBody, storedWithPayment } from '@messagebox/shared';
import { walletDescription } from './payment-description.js';

/** What is stored and told once a payment is taken, without what follows from the payment itself. */
export interface PaidDelivery {
  readonly messageBox: string;
  /** As it was sent. */
  readonly body: string;
  readonly messages: readonly {
    readonly recipient: string;
    readonly messageId: string;
    /** What is the recipient's of the payment, as its sender described it. */
    readonly outputs: readonly object[];
  }[];
  /** As it was sent; what is stored fits wallets. */
  readonly description?: string;
  readonly labels?: readonly string[];
}

/**
 * Bytes of what is stored. The whole transaction goes to each recipient who is paid, in the wordy form that clients read,
 * so that a small request can be a lot; and each must fit into a packet to the database with every quote escaped.
 */
const MOST_BYTES = { each: 8 * 1024 * 1024, all: 16 * 1024 * 1024 };
/** Outputs beside one message: clients refuse a payment that has more. */
const MAX_OUTPUTS_OF_MESSAGE = 101;

/**
 * The messages as they are stored, each with its recipient's part of the payment beside the body.
 *
 * @param beef AtomicBEEF
 */
export function unfold(sender: string, beef: Uint8Array, delivery: PaidDelivery): Delivery {
  const { messageBox, body, messages } = delivery;
  const plain = storedBody(body);
  const [before, after] = around(beef, delivery);
  return {
    liveBody: body,
    messages: messages.map(({ recipient, messageId, outputs }) => ({
      recipient,
      messageBox,
      messageId,
      sender,
      carriesPayment: outputs.length > 0,
      body: outputs.length === 0 ? plain : storedWithPayment(body, `${before}${JSON.stringify(outputs)}${after}`),
    })),
  };
}

/** @throws {RuleError} `ERR_INVALID_PAYMENT` for what would be too much to store or to read, or can't be written as JSON */
export function refuseTooLarge(beef: Uint8Array, delivery: PaidDelivery): void {
  const paid = delivery.messages.filter(({ outputs }) => outputs.length > 0);
  if (paid.length === 0) return;
  const shared = Buffer.byteLength(around(beef, delivery).join('')) + Buffer.byteLength(JSON.stringify(delivery.body));
  let all = 0;
  for (const { outputs } of paid) {
    if (outputs.length > MAX_OUTPUTS_OF_MESSAGE) {
      const description = `A message may have ${MAX_OUTPUTS_OF_MESSAGE} outputs of the payment, and one has ${outputs.length}.`;
      throw new RuleError('ERR_INVALID_PAYMENT', description);
    }
    const each = shared + Buffer.byteLength(jsonOf(outputs));
    all += each;
    if (each <= MOST_BYTES.each && all <= MOST_BYTES.all) continue;
    throw new RuleError(
      'ERR_INVALID_PAYMENT',
      `The payment's transaction is too large to be passed on to ${paid.length} recipients. Send in portions.`,
    );
  }
}

/** Bytes of UTF-8 of what is stored for each message, in their order. */
export function storedBytes(beef: Uint8Array, delivery: PaidDelivery): number[] {
  const plain = Buffer.byteLength(storedBody(delivery.body));
  if (delivery.messages.every(({ outputs }) => outputs.length === 0)) return delivery.messages.map(() => plain);
  const paid = Buffer.byteLength(storedWithPayment(delivery.body, around(beef, delivery).join('')));
  return delivery.messages.map(({ outputs }) =>
    outputs.length === 0 ? plain : paid + Buffer.byteLength(jsonOf(outputs)),
  );
}

function jsonOf(outputs: readonly object[]): string {
  try {
    return JSON.stringify(outputs);
  } catch {
    throw new RuleError('ERR_INVALID_PAYMENT', 'payment.outputs is nested too deeply.');
  }
}

/** JSON of a recipient's part, before and after its outputs. */
function around(beef: Uint8Array, { description, labels }: PaidDelivery): [string, string] {
  const rest = JSON.stringify({ description: walletDescription(description), labels }).slice(1);
  return [`{"tx":[${beef.join(',')}],"outputs":`, rest === '}' ? rest : `,${rest}`];
}
