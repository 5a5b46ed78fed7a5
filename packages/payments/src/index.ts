export { createPaymentService } from './create-payment-service.js';
export { createPricePayments } from './create-price-payments.js';
export { createPaymentWarmUp } from './payment-warm-up.js';
export type { HttpRequestPayment, PayableRequest, PricePayments } from './price-payments.js';
export { startPaymentRecovery } from './recovery.js';
