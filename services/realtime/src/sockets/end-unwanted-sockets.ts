import type { AuthSocketServer } from '@messagebox/brc103/socket-io';
import type { BlockList, RoomEventBroker } from '@messagebox/shared';

/** What the clients of a blocked identity are told. */
export const BLOCKED_REASON = 'The operator of this server has blocked this identity.';
const DELETED_REASON = 'This identity has deleted its account here. Connect again to use this server.';

/** Ends the sockets of identities that were blocked, and of those that have deleted their accounts. @returns stops it */
export function endUnwantedSockets(
  sockets: AuthSocketServer,
  { blockList, broker }: { readonly blockList: BlockList; readonly broker: Pick<RoomEventBroker, 'notices'> },
): () => void {
  const stopBlocked = blockList.onBlocked((identityKey) => sockets.endSocketsOf(identityKey, BLOCKED_REASON));
  const stopDeleted = broker.notices.listen((notice) => {
    if (notice.type === 'account_deleted') sockets.endSocketsOf(notice.identityKey, DELETED_REASON);
  });
  // Who connects before the list is read is ended when it is.
  void blockList.refresh();
  return () => {
    stopBlocked();
    stopDeleted();
  };
}
