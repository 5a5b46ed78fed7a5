import type { ServerFee } from '@messagebox/store';
import { checkFee, checkMessageBox, getField, isGiven } from './request-fields.js';
import { RuleError } from './rule-error.js';

/** The options of {@link listFees} and {@link setFee}. */
export interface AdminFeesOptions {
  readonly deliveryFees: {
    all(): Promise<ServerFee[]>;
    set(messageBox: string, deliveryFee: number): Promise<ServerFee>;
  };
}

/** A delivery fee as an administrator reads it. */
export interface FeeResponse {
  readonly messageBox: string;
  readonly deliveryFee: number;
  /** ISO 8601 in UTC. */
  readonly updatedAt: string;
}

/** Lists all delivery fees, sorted by box name. @throws {StoreUnavailableError} */
export async function listFees({
  deliveryFees,
}: AdminFeesOptions): Promise<{ status: 'success'; fees: FeeResponse[] }> {
  return { status: 'success', fees: (await deliveryFees.all()).map(toFeeResponse) };
}

/**
 * Sets the server's fee for a delivery into boxes of this name.
 *
 * @param request `{messageBox, deliveryFee}`, unchecked; satoshis from 0 to 2^31 - 1
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function setFee(
  { deliveryFees }: AdminFeesOptions,
  request: unknown,
): Promise<{ status: 'success'; fee: FeeResponse }> {
  const [box, fee] = [getField(request, 'messageBox'), getField(request, 'deliveryFee')];
  if (!isGiven(box) || typeof fee !== 'number') {
    throw new RuleError('ERR_INVALID_REQUEST', 'Please give messageBox, and deliveryFee as a number.');
  }
  const deliveryFee = checkFee(fee, 0);
  return { status: 'success', fee: toFeeResponse(await deliveryFees.set(checkMessageBox(box), deliveryFee)) };
}

function toFeeResponse({ messageBox, deliveryFee, updatedAt }: ServerFee): FeeResponse {
  return { messageBox, deliveryFee, updatedAt: updatedAt.toISOString() };
}
