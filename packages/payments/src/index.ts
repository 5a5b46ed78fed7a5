export { createPaymentService } from './create-payment-service.js';
export { createPaymentWarmUp } from './payment-warm-up.js';
export { startPaymentRecovery } from './recovery.js';
