export { type AcknowledgeMessagesOptions, acknowledgeMessages } from './acknowledge-messages.js';
export { type AdminFeesOptions, listFees, setFee } from './admin-fees.js';
export type { ReadChargesOptions } from './charges.js';
export { isCursor } from './cursors.js';
export { type DeliverMessagesOptions, type Delivery, deliverMessages } from './deliver-messages.js';
export { listDevices, registerDevice } from './devices.js';
export { DeliveryFees } from './fees/delivery-fees.js';
export { type GetQuoteOptions, getQuote } from './get-quote.js';
export { findLimitByErrorCode } from './limit-by-error-code.js';
export { type ListedMessage, type ListMessagesOptions, listMessages } from './list-messages.js';
export { toBodyText, toLiveBody, toStoredBody, toStoredBodyWithPayment } from './message-body.js';
export { formatAckEventName, formatPushEventName, formatRoomName, isName, parseRoomName } from './names.js';
export { parseJson } from './parse-json.js';
export {
  checkMessageObject,
  createSendCommand,
  type ParseSendOptions,
  parseSend,
  type SendCommand,
} from './parse-send.js';
export type { DeliverPaidMessages, DuePayment, PaymentProcessor } from './payment-processor.js';
export { getPermission, listPermissions, type PermissionsOptions, setPermission } from './permissions.js';
export {
  type DescribedPrices,
  describePrices,
  getListPrice,
  getSendPrice,
  hasSendPrice,
  type PriceList,
  type SendSize,
} from './prices/price-list.js';
export {
  livePriceError,
  type PriceReference,
  priceUsedError,
  type ReceivedPrice,
  type RequestPayment,
} from './prices/request-payment.js';
export { createPushOutboxWriter, NOTIFICATIONS_BOX, type PushOutboxWriter } from './push-outbox-writer.js';
export { QuotaExceededError, type QuotaLimits } from './quotas/quota-limits.js';
export { StorageQuotas, type UsageReader } from './quotas/storage-quotas.js';
export { getField, type NormaliseKey } from './request-fields.js';
export { listLiveNamespaces, type RoomEvent, type RoomEventPublisher, type RoomSubscriptions } from './room-events.js';
export { paymentErrorCodes, RuleError, ruleErrorCodes } from './rule-error.js';
export { type SendMessagesOptions, type SendMessagesResponse, sendMessages } from './send-messages.js';
export { parseWholeNumber } from './whole-numbers.js';
