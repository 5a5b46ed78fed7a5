import { type Delivery, RuleError, storedBody, storedWithPayment } from '@messagebox/shared';

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
  readonly description?: string;
  readonly labels?: readonly string[];
}

/** The whole transaction goes to each recipient who is paid, in the wordy form that clients read. */
const MOST_CHARACTERS = 64 * 1024 * 1024;

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
      body: outputs.length === 0 ? plain : storedWithPayment(body, `${before}${JSON.stringify(outputs)}${after}`),
    })),
  };
}

/** @throws {RuleError} `ERR_INVALID_PAYMENT` for what would be too much to store */
export function refuseTooLarge(beef: Uint8Array, delivery: PaidDelivery): void {
  const each = around(beef, delivery).join('').length + delivery.body.length;
  const paid = delivery.messages.filter(({ outputs }) => outputs.length > 0);
  const total = paid.reduce((sum, { outputs }) => sum + each + JSON.stringify(outputs).length, 0);
  if (total <= MOST_CHARACTERS) return;
  throw new RuleError(
    'ERR_INVALID_PAYMENT',
    `The payment's transaction is too large to be passed on to ${paid.length} recipients. Send in portions.`,
  );
}

/** JSON of a recipient's part, before and after its outputs. */
function around(beef: Uint8Array, { description, labels }: PaidDelivery): [string, string] {
  const rest = JSON.stringify({ description, labels }).slice(1);
  return [`{"tx":[${beef.join(',')}],"outputs":`, rest === '}' ? rest : `,${rest}`];
}
