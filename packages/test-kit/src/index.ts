export { isName, MAX_BOX_BYTES } from './client/fields.js';
export { RefusedRequest } from './client/refused-request.js';
export { type StrictClientOptions, StrictMessageBoxClient } from './client/strict-message-box-client.js';
export type {
  MessageBoxMultiQuote,
  MessageBoxPermission,
  MessageBoxQuote,
  PeerMessage,
  RecipientQuote,
  RegisteredDevice,
  SendMessageParams,
  SendMessageResponse,
} from './client/types.js';
export type { RequestSettings } from './http/signed-request.js';
export { MAX_ANSWER_BYTES, StrictFetch, type StrictFetchOptions } from './http/strict-fetch.js';
export { UnsignedAnswer } from './http/unsigned-answer.js';
export type { AuthMessage, GeneralMessage, InitialRequest, InitialResponse } from './message/auth-message.js';
export { checkAuthMessage } from './message/auth-message.js';
export { decodeEvent, encodeEvent, type LiveEvent, MAX_EVENT_BYTES } from './message/event-payload.js';
export { type ClientSession, DEFAULT_SESSION_LIMITS, type SessionLimits, SessionTable } from './peer/session-table.js';
export { type PeerOptions, StrictPeer } from './peer/strict-peer.js';
export { ProtocolViolation } from './rules/protocol-violation.js';
export { RULES, type RuleNumber } from './rules/rules.js';
export {
  type Ack,
  AwaitableSocket,
  type EventClient,
  type Fields,
  type Push,
  type WireEvent,
} from './socket/awaitable-socket.js';
export {
  MAX_FRAMES_IN_WORK,
  type SocketSettings,
  StrictSocketClient,
  type StrictSocketOptions,
} from './socket/strict-socket-client.js';
export { History, until, within } from './waiting/history.js';
export { Gate } from './wallet/gate.js';
export { type BeforeCall, slowWallet } from './wallet/slow-wallet.js';
export type { ClientWallet } from './wallet/wallet.js';
