import { BLOCKED, type Decisions, type PermissionStore } from '../store/index.js';

/** What recipients get for a message in a box for which they have set nothing, in satoshis. */
const DEFAULT_FEES: ReadonlyMap<string, number> = new Map([['notifications', 10]]);

/** What the price of a send is read from. */
export interface ChargeParts {
  readonly permissions: Pick<PermissionStore, 'decisions'>;
  readonly deliveryFees: {
    /** Satoshis, 0 or more. @throws {StoreUnavailableError} */
    feeFor(messageBox: string): Promise<number>;
  };
}

/** What a send of one sender into a box costs, in satoshis. */
export interface Charges {
  /** The server's, once for each send however many recipients it has. */
  readonly deliveryFee: number;
  /** The recipients', in the order in which they were given; {@link BLOCKED} for one who has blocked the sender. */
  readonly recipientFees: readonly number[];
  /** Whether the recipient has allowed this sender by name, for nothing or for a fee; in the same order. */
  readonly allowsSender: readonly boolean[];
}

/**
 * Reads what a send costs: one query for all recipients together, and no write.
 *
 * @param recipients normalised keys, as is the sender
 * @throws {StoreUnavailableError} when it can't be read; never taken for "free" or "allowed"
 */
export async function charges(
  { permissions, deliveryFees }: ChargeParts,
  sender: string,
  messageBox: string,
  recipients: readonly string[],
): Promise<Charges> {
  const [decisions, deliveryFee] = await Promise.all([
    permissions.decisions(recipients, sender, messageBox),
    deliveryFees.feeFor(messageBox),
  ]);
  return {
    deliveryFee,
    recipientFees: recipients.map((recipient) => recipientFee(decisions.get(recipient), messageBox)),
    allowsSender: recipients.map((recipient) => (decisions.get(recipient)?.forSender ?? BLOCKED) !== BLOCKED),
  };
}

/** What was said about this sender counts before what was said about the box, and that before the default. */
function recipientFee(decisions: Decisions | undefined, messageBox: string): number {
  return decisions?.forSender ?? decisions?.boxWide ?? DEFAULT_FEES.get(messageBox) ?? 0;
}

export type PermissionStatus = 'always_allow' | 'blocked' | 'payment_required';

/** A fee in a word, as clients read it. */
export function statusOf(fee: number): PermissionStatus {
  if (fee === BLOCKED) return 'blocked';
  return fee === 0 ? 'always_allow' : 'payment_required';
}
