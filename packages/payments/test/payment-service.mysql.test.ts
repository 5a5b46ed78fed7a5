import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { expiringPaymentsSuite } from './support/expiring-payments-suite.ts';
import { paymentRetriesSuite } from './support/payment-retries-suite.ts';
import { paymentServiceSuite } from './support/payment-service-suite.ts';
import { pricePaymentsSuite } from './support/price-payments-suite.ts';

describeWithMysql('the payment service on MySQL', () => {
  const create = async () => {
    const { config, drop } = await createMysqlDatabase();
    return { config, remove: drop };
  };
  paymentServiceSuite(create);
  describe('retries', () => paymentRetriesSuite(create));
  describe('prices', () => pricePaymentsSuite(create));
  describe('expiry', () => expiringPaymentsSuite(create));
});
