import { BLOCKED, type PermissionStore, type StoredPermission, TooManyPermissionsError } from '@messagebox/store';
import { type PermissionStatus, toPermissionStatus } from './charges.js';
import { invalidLimitError } from './invalid-limit-error.js';
import { checkFee, checkMessageBox, getEitherField, getField, isGiven, type NormaliseKey } from './request-fields.js';
import { RuleError } from './rule-error.js';
import { parseWholeNumber } from './whole-numbers.js';

/** The options of the rules for permissions. */
export interface PermissionsOptions {
  readonly permissions: PermissionStore;
  readonly normaliseKey: NormaliseKey;
}

/** A permission as clients read it, with both spellings that clients use. Times are ISO 8601 in UTC. */
export interface PermissionResponse {
  /** Null: for all senders. */
  readonly sender: string | null;
  readonly messageBox: string;
  readonly message_box: string;
  readonly recipientFee: number;
  readonly recipient_fee: number;
  readonly status: PermissionStatus;
  /** Whether senders may ask what becomes of their messages. Left out where it is not decided: then they may. */
  readonly receipts?: boolean;
  readonly createdAt: string;
  readonly created_at: string;
  readonly updatedAt: string;
  readonly updated_at: string;
}

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

/**
 * Sets the caller's permission for messages of a sender, or of all senders, into one of the caller's boxes.
 *
 * @param request `{messageBox, sender?, recipientFee, receipts?}`, unchecked. Without a sender the permission is for all senders who have
 *   no permission of their own. The fee is -1 (blocked), 0 (always allowed) or satoshis up to 2^31 - 1. `receipts` says whether
 *   senders may ask what becomes of their messages; null undoes that decision, and without it the decision stays
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function setPermission(
  options: PermissionsOptions,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; description: string }> {
  const box = getEitherField(request, 'messageBox', 'message_box');
  const fee = getEitherField(request, 'recipientFee', 'recipient_fee');
  if (!isGiven(box) || typeof fee !== 'number') {
    throw new RuleError('ERR_INVALID_REQUEST', 'Please give messageBox, and recipientFee as a number.');
  }
  const sender = parseSender(options, request);
  const recipientFee = checkFee(fee, BLOCKED);
  const receipts = parseReceipts(request);
  const messageBox = checkMessageBox(box);
  try {
    await options.permissions.set({ recipient: caller, sender, messageBox, recipientFee, receipts });
  } catch (error) {
    throw error instanceof TooManyPermissionsError ? tooManyPermissionsError(error) : error;
  }
  return { status: 'success', description: describePermission(recipientFee, sender) };
}

/**
 * Reads the permission that the caller has set for exactly this sender, or for the whole box without a sender; null when
 * there is none.
 *
 * @param request `{messageBox, sender?}`, unchecked. A `recipient` is ignored: the recipient is the caller
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function getPermission(
  options: PermissionsOptions,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; description: string; permission: PermissionResponse | null }> {
  const box = getEitherField(request, 'messageBox', 'message_box');
  if (!isGiven(box)) throw new RuleError('ERR_MISSING_PARAMETERS', 'Please give messageBox.');
  const sender = parseSender(options, request);
  const found = await options.permissions.get({ recipient: caller, sender, messageBox: checkMessageBox(box) });
  if (found === undefined) return { status: 'success', description: 'No such permission is set.', permission: null };
  return {
    status: 'success',
    description: describePermission(found.recipientFee, sender),
    permission: toPermissionResponse(found),
  };
}

/**
 * Lists the caller's permissions by time of creation, by default newest first. A box whose name clients can't read is
 * listed only when the request names it, because one such name makes them refuse a whole list.
 *
 * @param request `{messageBox?, limit?, offset?, createdAtOrder?}`, unchecked, numbers as decimal text
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function listPermissions(
  options: PermissionsOptions,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; permissions: PermissionResponse[]; totalCount: number }> {
  const box = getEitherField(request, 'messageBox', 'message_box');
  const limit = parseWholeNumber(getField(request, 'limit') ?? String(DEFAULT_LIMIT), 1, MAX_LIMIT);
  if (limit === undefined) throw invalidLimitError(MAX_LIMIT);
  const offset = parseWholeNumber(getField(request, 'offset') ?? '0', 0, Number.MAX_SAFE_INTEGER);
  if (offset === undefined) throw new RuleError('ERR_INVALID_OFFSET', 'offset must be a whole number from 0.');
  const order = getField(request, 'createdAtOrder') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') {
    throw new RuleError('ERR_INVALID_ORDER', 'createdAtOrder must be asc or desc.');
  }
  const messageBox = box === undefined ? undefined : checkMessageBox(box);
  const page = await options.permissions.list({ recipient: caller, messageBox, limit, offset, order });
  return { status: 'success', permissions: page.permissions.map(toPermissionResponse), totalCount: page.total };
}

function parseSender(options: PermissionsOptions, request: unknown): string | undefined {
  const sender = getField(request, 'sender');
  if (!isGiven(sender)) return undefined;
  const key = typeof sender === 'string' ? options.normaliseKey(sender) : undefined;
  if (key === undefined) throw new RuleError('ERR_INVALID_PUBLIC_KEY', 'sender is not a valid public key.');
  return key;
}

function parseReceipts(request: unknown): boolean | null | undefined {
  const receipts = getField(request, 'receipts');
  if (receipts === undefined || receipts === null || typeof receipts === 'boolean') return receipts;
  throw new RuleError('ERR_INVALID_RECEIPTS', 'receipts must be true, false or null.');
}

function tooManyPermissionsError({ limit }: TooManyPermissionsError): RuleError {
  const description = `You have ${limit} permissions, which is the limit. Change one of them instead.`;
  return new RuleError('ERR_TOO_MANY_PERMISSIONS', description, 429, { limit });
}

function describePermission(fee: number, sender: string | undefined): string {
  const who = sender === undefined ? 'Messages into this box' : 'Messages of this sender into this box';
  if (fee === BLOCKED) return `${who} are blocked.`;
  return fee === 0 ? `${who} are always allowed.` : `${who} cost ${fee} satoshis.`;
}

function toPermissionResponse({
  sender,
  messageBox,
  recipientFee,
  receipts,
  createdAt,
  updatedAt,
}: StoredPermission): PermissionResponse {
  const [created, updated] = [createdAt.toISOString(), updatedAt.toISOString()];
  return {
    sender: sender ?? null,
    messageBox,
    message_box: messageBox,
    recipientFee,
    recipient_fee: recipientFee,
    status: toPermissionStatus(recipientFee),
    ...(receipts === undefined ? {} : { receipts }),
    createdAt: created,
    created_at: created,
    updatedAt: updated,
    updated_at: updated,
  };
}
