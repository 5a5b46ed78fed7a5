import type { EventClient, SocketSettings, StrictMessageBoxClient } from '@messagebox/test-kit';

/** Which clients act for people: those of the registry, or the strict ones of the test kit. */
export interface Clients {
  readonly kind: 'registry' | 'strict';
  /** For the sockets of the strict clients. The registry's `MessageBoxClient` takes no such settings. */
  readonly socket?: SocketSettings;
}

/** The newest clients on the registry, unmodified. */
export const registryClients: Clients = { kind: 'registry' };
/** Our own, as strict as those that are newer than the registry's. */
export const strictClients: Clients = { kind: 'strict' };
/** The same with long polling and nothing else. */
export const pollingClients: Clients = { kind: 'strict', socket: { transports: ['polling'] } };

/** Both generations, for `describe.each`. */
export const GENERATIONS = [
  ['the registry`s clients', registryClients],
  ['clients as strict as today`s', strictClients],
] as const;

type SharedCalls =
  | 'acknowledgeMessage'
  | 'allowNotificationsFromPeer'
  | 'checkPeerNotificationStatus'
  | 'denyNotificationsFromPeer'
  | 'getMessageBoxPermission'
  | 'initializeConnection'
  | 'joinRoom'
  | 'leaveRoom'
  | 'listMessageBoxPermissions'
  | 'listMessages'
  | 'listPeerNotifications'
  | 'listRegisteredDevices'
  | 'listenForLiveMessages'
  | 'registerDevice'
  | 'sendLiveMessage'
  | 'sendMessage'
  | 'setMessageBoxPermission';

/** The calls that all clients of message boxes have. */
export interface BoxClient extends Pick<StrictMessageBoxClient, SharedCalls> {
  readonly testSocket: EventClient | undefined;
  getMessageBoxQuote(params: { recipient: string | string[]; messageBox: string }, host?: string): Promise<object>;
  sendNotification(recipient: string, body: string | object, host?: string): Promise<object>;
}
