import { BLOCKED, type PermissionDecisions, type PermissionStore } from '@messagebox/store';

/** The fee of a recipient who has set nothing for a box, in satoshis; 0 for boxes that are not named. */
export const DEFAULT_RECIPIENT_FEES: ReadonlyMap<string, number> = new Map([['notifications', 10]]);

/** The options of {@link readCharges}: where the fees are read. */
export interface ReadChargesOptions {
  readonly permissions: Pick<PermissionStore, 'decisions'>;
  readonly deliveryFees: {
    /** Satoshis, 0 or more. @throws {StoreUnavailableError} */
    feeFor(messageBox: string): Promise<number>;
  };
}

/** The cost of a send from one sender into a box, in satoshis. */
export interface Charges {
  /** The server's fee, once for each send, whatever the number of recipients. */
  readonly deliveryFee: number;
  /** The recipients' fees, in the order of the recipients; {@link BLOCKED} for one who has blocked the sender. */
  readonly recipientFees: readonly number[];
  /** Whether each recipient has allowed this sender by name, for free or for a fee; in the same order. */
  readonly allowsSender: readonly boolean[];
}

/**
 * Reads the cost of a send, with one query for all recipients and without a write.
 *
 * @param sender a normalised key
 * @param recipients normalised keys
 * @throws {StoreUnavailableError} when the fees can't be read; a failure never means "free" or "allowed"
 */
export async function readCharges(
  { permissions, deliveryFees }: ReadChargesOptions,
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
    recipientFees: recipients.map((recipient) => resolveRecipientFee(decisions.get(recipient), messageBox)),
    allowsSender: recipients.map((recipient) => (decisions.get(recipient)?.forSender ?? BLOCKED) !== BLOCKED),
  };
}

/** A permission for the sender overrides the one for the box, which overrides the default. */
function resolveRecipientFee(decisions: PermissionDecisions | undefined, messageBox: string): number {
  return decisions?.forSender ?? decisions?.boxWide ?? DEFAULT_RECIPIENT_FEES.get(messageBox) ?? 0;
}

/** The meaning of a fee, in the words of the protocol. */
export type PermissionStatus = 'always_allow' | 'blocked' | 'payment_required';

/** Converts a recipient's fee to its status. */
export function toPermissionStatus(fee: number): PermissionStatus {
  if (fee === BLOCKED) return 'blocked';
  return fee === 0 ? 'always_allow' : 'payment_required';
}
