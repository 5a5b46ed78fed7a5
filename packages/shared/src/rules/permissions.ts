import {
  BLOCKED,
  MAX_FEE,
  type PermissionStore,
  type StoredPermission,
  TooManyPermissionsError,
} from '../store/index.js';
import { type PermissionStatus, statusOf } from './charges.js';
import { isName } from './names.js';
import { wholeNumber, wholeNumberOf } from './numbers.js';
import { field, type NormaliseKey } from './parse-send.js';
import { RuleError } from './rule-error.js';

export interface PermissionParts {
  readonly permissions: PermissionStore;
  readonly normaliseKey: NormaliseKey;
}

/** A permission as clients read it: some by one spelling, some by the other. Times are ISO 8601 in UTC. */
export interface PermissionAnswer {
  /** Null: for all senders. */
  readonly sender: string | null;
  readonly messageBox: string;
  readonly message_box: string;
  readonly recipientFee: number;
  readonly recipient_fee: number;
  readonly status: PermissionStatus;
  readonly createdAt: string;
  readonly created_at: string;
  readonly updatedAt: string;
  readonly updated_at: string;
}

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

/**
 * Sets what the caller asks of a sender, or of all of them, for messages into one of the caller's boxes.
 *
 * @param request `{messageBox, sender?, recipientFee}`, unchecked; no sender: for all who have no permission of their own.
 *   The fee is -1 (blocked), 0 (always allowed) or satoshis up to 2^31 - 1
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function setPermission(
  parts: PermissionParts,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; description: string }> {
  const box = either(request, 'messageBox', 'message_box');
  const fee = either(request, 'recipientFee', 'recipient_fee');
  if (!isGiven(box) || typeof fee !== 'number') {
    throw new RuleError('ERR_INVALID_REQUEST', 'Please give messageBox, and recipientFee as a number.');
  }
  const sender = senderOf(parts, request);
  const recipientFee = checkFee(fee, BLOCKED);
  const messageBox = checkBox(box);
  try {
    await parts.permissions.set({ recipient: caller, sender, messageBox, recipientFee });
  } catch (error) {
    throw error instanceof TooManyPermissionsError ? tooManyPermissions(error) : error;
  }
  return { status: 'success', description: describe(recipientFee, sender) };
}

/**
 * The permission that the caller has set for exactly this sender, or for the whole box when none is named; null when there
 * is none.
 *
 * @param request `{messageBox, sender?}`, unchecked. A `recipient` in it counts for nothing: it is the caller
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function getPermission(
  parts: PermissionParts,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; description: string; permission: PermissionAnswer | null }> {
  const box = either(request, 'messageBox', 'message_box');
  if (!isGiven(box)) throw new RuleError('ERR_MISSING_PARAMETERS', 'Please give messageBox.');
  const sender = senderOf(parts, request);
  const found = await parts.permissions.get({ recipient: caller, sender, messageBox: checkBox(box) });
  if (found === undefined) return { status: 'success', description: 'No such permission is set.', permission: null };
  return { status: 'success', description: describe(found.recipientFee, sender), permission: answer(found) };
}

/**
 * The caller's permissions, by the time of their creation, newest first unless asked otherwise. A box whose name clients
 * can't read is in the list only when it is asked for by its name: one such name makes them refuse a whole list.
 *
 * @param request `{messageBox?, limit?, offset?, createdAtOrder?}`, unchecked, numbers as decimal text
 * @throws {RuleError}
 * @throws {StoreUnavailableError}
 */
export async function listPermissions(
  parts: PermissionParts,
  caller: string,
  request: unknown,
): Promise<{ status: 'success'; permissions: PermissionAnswer[]; totalCount: number }> {
  const box = either(request, 'messageBox', 'message_box');
  const limit = wholeNumberOf(field(request, 'limit') ?? String(DEFAULT_LIMIT), 1, MAX_LIMIT);
  if (limit === undefined) {
    throw new RuleError('ERR_INVALID_LIMIT', `limit must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  const offset = wholeNumberOf(field(request, 'offset') ?? '0', 0, Number.MAX_SAFE_INTEGER);
  if (offset === undefined) throw new RuleError('ERR_INVALID_OFFSET', 'offset must be a whole number from 0.');
  const order = field(request, 'createdAtOrder') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') {
    throw new RuleError('ERR_INVALID_ORDER', 'createdAtOrder must be asc or desc.');
  }
  const messageBox = box === undefined ? undefined : checkBox(box);
  const page = await parts.permissions.list({ recipient: caller, messageBox, limit, offset, order });
  return { status: 'success', permissions: page.permissions.map(answer), totalCount: page.total };
}

/** @throws {RuleError} `ERR_INVALID_MESSAGE_BOX` */
export function checkBox(box: unknown): string {
  if (isName(box)) return box;
  throw new RuleError('ERR_INVALID_MESSAGE_BOX', 'messageBox must be a text of 1 to 255 characters.');
}

/** @throws {RuleError} `ERR_INVALID_FEE_VALUE` unless it is a whole number from `least` to {@link MAX_FEE} */
export function checkFee(given: number, least: number): number {
  const fee = wholeNumber(given, least, MAX_FEE);
  if (fee !== undefined) return fee;
  throw new RuleError('ERR_INVALID_FEE_VALUE', `A fee must be a whole number from ${least} to ${MAX_FEE}.`);
}

/** A field under either of its spellings. */
export function either(request: unknown, camelCase: string, snakeCase: string): unknown {
  return field(request, camelCase) ?? field(request, snakeCase);
}

export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function senderOf(parts: PermissionParts, request: unknown): string | undefined {
  const sender = field(request, 'sender');
  if (!isGiven(sender)) return undefined;
  const key = typeof sender === 'string' ? parts.normaliseKey(sender) : undefined;
  if (key === undefined) throw new RuleError('ERR_INVALID_PUBLIC_KEY', 'sender is not a valid public key.');
  return key;
}

function tooManyPermissions({ limit }: TooManyPermissionsError): RuleError {
  const description = `You have ${limit} permissions, which is as many as can be kept. Change one of those instead.`;
  return new RuleError('ERR_TOO_MANY_PERMISSIONS', description, 429, { limit });
}

function describe(fee: number, sender: string | undefined): string {
  const who = sender === undefined ? 'Messages into this box' : 'Messages of this sender into this box';
  if (fee === BLOCKED) return `${who} are blocked.`;
  return fee === 0 ? `${who} are always allowed.` : `${who} cost ${fee} satoshis.`;
}

function answer({ sender, messageBox, recipientFee, createdAt, updatedAt }: StoredPermission): PermissionAnswer {
  const [created, updated] = [createdAt.toISOString(), updatedAt.toISOString()];
  return {
    sender: sender ?? null,
    messageBox,
    message_box: messageBox,
    recipientFee,
    recipient_fee: recipientFee,
    status: statusOf(recipientFee),
    createdAt: created,
    created_at: created,
    updatedAt: updated,
    updated_at: updated,
  };
}
