export { type Amount, QuotaExceededError, type QuotaKind, type QuotaLimits } from './quota-limits.js';
export {
  type Reservation,
  type StorageCharge,
  StorageQuotas,
  type StorageQuotasParts,
  type UsageReader,
} from './storage-quotas.js';
