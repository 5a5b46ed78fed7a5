import type { ServerFee } from '../store/index.js';
import { field } from './parse-send.js';
import { checkBox, checkFee, isGiven } from './permissions.js';
import { RuleError } from './rule-error.js';

/** The operator's delivery fees, to read and to change. */
export interface AdminFeeParts {
  readonly deliveryFees: {
    all(): Promise<ServerFee[]>;
    set(messageBox: string, deliveryFee: number): Promise<ServerFee>;
  };
}

export interface FeeAnswer {
  readonly messageBox: string;
  readonly deliveryFee: number;
  /** ISO 8601 in UTC. */
  readonly updatedAt: string;
}

/** All delivery fees, by the names of their boxes. @throws {StoreUnavailableError} */
export async function listFees({ deliveryFees }: AdminFeeParts): Promise<{ status: 'success'; fees: FeeAnswer[] }> {
  return { status: 'success', fees: (await deliveryFees.all()).map(answer) };
}

/**
 * Sets what the server takes for a delivery into boxes of this name.
 *
 * @param request `{messageBox, deliveryFee}`, unchecked; satoshis from 0 to 2^31 - 1
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function setFee(
  { deliveryFees }: AdminFeeParts,
  request: unknown,
): Promise<{ status: 'success'; fee: FeeAnswer }> {
  const [box, fee] = [field(request, 'messageBox'), field(request, 'deliveryFee')];
  if (!isGiven(box) || typeof fee !== 'number') {
    throw new RuleError('ERR_INVALID_REQUEST', 'Please give messageBox, and deliveryFee as a number.');
  }
  const deliveryFee = checkFee(fee, 0);
  return { status: 'success', fee: answer(await deliveryFees.set(checkBox(box), deliveryFee)) };
}

function answer({ messageBox, deliveryFee, updatedAt }: ServerFee): FeeAnswer {
  return { messageBox, deliveryFee, updatedAt: updatedAt.toISOString() };
}
