export { type AcknowledgeParts, acknowledge } from './acknowledge.js';
export { type AdminFeeParts, type FeeAnswer, listFees, setFee } from './admin-fees.js';
export { type ChargeParts, type Charges, charges, type PermissionStatus } from './charges.js';
export { type DeliverParts, type Delivery, deliver, type OutgoingMessage } from './deliver.js';
export { type DevicesAnswer, listDevices, type RegisterDeviceAnswer, registerDevice } from './devices.js';
export { limitOfCode } from './limit-of-code.js';
export { type ListAnswer, type ListParts, list, type OffsetPageAnswer } from './list.js';
export { bodyText, storedBody, storedWithPayment } from './message-body.js';
export { ackEventName, isMessageId, isName, pushEventName, roomName, splitRoomName } from './names.js';
export { parseJson } from './parse-json.js';
export { field, type NormaliseKey } from './parse-send.js';
export type { DuePayment, PaymentTaker, StorePaid } from './payment.js';
export {
  getPermission,
  listPermissions,
  type PermissionAnswer,
  type PermissionParts,
  setPermission,
} from './permissions.js';
export { type MultiQuoteAnswer, type QuoteParts, quote, type SingleQuoteAnswer } from './quote.js';
export { paymentErrorCodes, RuleError, type RuleErrorCode, ruleErrorCodes } from './rule-error.js';
export { type SendAnswer, type SendParts, send } from './send.js';
