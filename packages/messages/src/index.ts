export { type AcknowledgeMessagesOptions, acknowledgeMessages } from './acknowledge-messages.js';
export { type AdminFeesOptions, listFees, setFee } from './admin-fees.js';
export { type BoxStatusOptions, countMessages, getBoxStatus, isCountOnly } from './box-status.js';
export { DEFAULT_RECIPIENT_FEES, type ReadChargesOptions } from './charges.js';
export { isCursor } from './cursors.js';
export { type DeliverMessagesOptions, type Delivery, deliverMessages } from './deliver-messages.js';
export { type DevicesOptions, listDevices, registerDevice, unregisterDevice } from './devices.js';
export { DeliveryFees } from './fees/delivery-fees.js';
export { type GetQuoteOptions, getQuote } from './get-quote.js';
export { findLimitByErrorCode } from './limit-by-error-code.js';
export { type ListMessagesOptions, listMessages } from './list-messages.js';
export type { EncodedMessage, ListedMessage } from './listed-message.js';
export { toBodyText, toLiveBody, toStoredBody, toStoredBodyWithPayment } from './message-body.js';
export { formatAckEventName, formatPushEventName, formatRoomName, isName, parseRoomName } from './names.js';
export { parseJson } from './parse-json.js';
export {
  checkMessageObject,
  countListedBytes,
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
export { DEFAULT_PUSH_BOXES, DEFAULT_PUSH_TITLE, NOTIFICATIONS_BOX, type PushBox } from './push-boxes.js';
export { createPushOutboxWriter, type PushOutboxWriter } from './push-outbox-writer.js';
export { QuotaExceededError, type QuotaLimits } from './quotas/quota-limits.js';
export { StorageQuotas, type UsageReader } from './quotas/storage-quotas.js';
export { getField, type NormaliseKey } from './request-fields.js';
export { listLiveNamespaces, type RoomEvent, type RoomEventPublisher, type RoomSubscriptions } from './room-events.js';
export { paymentErrorCodes, RuleError, ruleErrorCodes } from './rule-error.js';
export { type SendMessagesOptions, type SendMessagesResponse, sendMessages } from './send-messages.js';
export { getSentStatus, MAX_SENT_IDS, type SentStatusOptions } from './sent-status.js';
export { formatCount, MESSAGE_LIMITS } from './size-limits.js';
export {
  type AnnouncedUpload,
  checkUploadId,
  type UploadLocation,
  type UploadProcessor,
  type UploadUse,
  uploadNamedError,
  uploadNotFoundError,
  uploadsDisabledError,
} from './upload-processor.js';
export { decodeP256Point, deriveP256PublicKey, P256 } from './web-push/p256.js';
export {
  type NormaliseEndpoint,
  parseEndpoint,
  parseSubscription,
  type WebPushSubscription,
} from './web-push/subscription.js';
export { parseWholeNumber } from './whole-numbers.js';
