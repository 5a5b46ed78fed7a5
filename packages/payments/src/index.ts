export {
  type FinishPaymentsParts,
  finishPaymentsRegularly,
  openPayments,
  type PaymentsParts,
} from './open-payments.js';
export { PaymentDesk, type PaymentDeskParts, type PaymentStep } from './payment-desk.js';
