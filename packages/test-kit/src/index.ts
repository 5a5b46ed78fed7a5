export { createFunding, createSpend, serializeTransaction, TestChain } from './chain/test-chain.js';
export { isName, MAX_BOX_BYTES } from './client/fields.js';
export { RequestRefusedError } from './client/request-refused-error.js';
export { StrictMessageBoxClient, type StrictMessageBoxClientOptions } from './client/strict-message-box-client.js';
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
export { UnsignedAnswerError } from './http/unsigned-answer-error.js';
export type { AuthMessage, GeneralMessage, InitialRequest, InitialResponse } from './message/auth-message.js';
export { checkAuthMessage } from './message/auth-message.js';
export { decodeEvent, encodeEvent, type LiveEvent, MAX_CLIENT_EVENT_BYTES } from './message/event-payload.js';
export { type ClientSession, DEFAULT_SESSION_LIMITS, type SessionLimits, SessionTable } from './peer/session-table.js';
export { StrictPeer, type StrictPeerOptions } from './peer/strict-peer.js';
export { ProtocolViolationError } from './rules/protocol-violation-error.js';
export { RULES, type RuleNumber } from './rules/rules.js';
export {
  AwaitableSocket,
  type EventClient,
  type EventFields,
  type PushedEvent,
  type SendAck,
  type WireEvent,
} from './socket/awaitable-socket.js';
export {
  MAX_CLIENT_FRAMES_IN_FLIGHT,
  type SocketSettings,
  StrictSocketClient,
  type StrictSocketClientOptions,
} from './socket/strict-socket-client.js';
export { EventHistory, waitUntil, withTimeout } from './waiting/event-history.js';
export { Gate } from './wallet/gate.js';
export { computeFee, payFromWallet } from './wallet/pay-from-wallet.js';
export { type BeforeCall, createSlowWallet } from './wallet/slow-wallet.js';
export type { ClientWallet } from './wallet/wallet.js';
