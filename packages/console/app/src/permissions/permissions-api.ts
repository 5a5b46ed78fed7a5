import { serverUrl } from '../api/server-url.js';
import type { CurrentIdentity } from '../identity/current-identity.js';

/** Who may write to a box, and for how much. */
export interface Permission {
  /** Undefined: everybody who has no rule of their own. */
  readonly sender: string | undefined;
  readonly messageBox: string;
  /** In satoshis; 0 is free, and -1 is blocked. */
  readonly recipientFee: number;
}

/** The largest price that clients can read. */
export const MAX_FEE = 2_147_483_647;
const MAX_LISTED = 1_000;

/**
 * Lists the rules of a box.
 *
 * @throws {ApiError | Error}
 */
export async function listPermissions(identity: CurrentIdentity, messageBox: string): Promise<readonly Permission[]> {
  const { getMessageBoxClient, withReason } = await import('../identity/clients.js');
  const listed = await withReason(getMessageBoxClient(identity), (client) =>
    client.listMessageBoxPermissions({ messageBox, limit: MAX_LISTED }, serverUrl),
  );
  return listed.map(({ sender, messageBox: box, recipientFee }) => ({
    sender: sender ?? undefined,
    messageBox: box,
    recipientFee,
  }));
}

/**
 * Sets a rule.
 *
 * @throws {ApiError | Error}
 */
export async function setPermission(identity: CurrentIdentity, permission: Permission): Promise<void> {
  const { getMessageBoxClient, withReason } = await import('../identity/clients.js');
  const { sender, ...rest } = permission;
  await withReason(getMessageBoxClient(identity), (client) =>
    client.setMessageBoxPermission(sender === undefined ? rest : { ...rest, sender }, serverUrl),
  );
}
