import { join } from 'node:path';
import type { StoreConfig } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { expiringPaymentsSuite } from './support/expiring-payments-suite.js';
import { paymentRetriesSuite } from './support/payment-retries-suite.js';
import { paymentServiceSuite } from './support/payment-service-suite.js';
import { pricePaymentsSuite } from './support/price-payments-suite.js';

describe('the payment service on SQLite', () => {
  const create = async () => {
    const folder = createTemporaryFolder();
    const config: StoreConfig = { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') };
    return { config, remove: async () => folder.remove() };
  };
  paymentServiceSuite(create);
  describe('retries', () => paymentRetriesSuite(create));
  describe('prices', () => pricePaymentsSuite(create));
  describe('expiry', () => expiringPaymentsSuite(create));
});
