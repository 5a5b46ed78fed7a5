import usual from './jest.config.mjs';

/**
 * `npm run test:unit`: tests of single packages and services that need no server and little time. The name of a suite
 * says what else it needs: `.mysql`, `.redis` or `.sqlite` a database, and `.slow` more than a few seconds.
 */
export default {
  ...usual,
  testMatch: ['<rootDir>/{packages,services}/*/test/**/*.test.ts'],
  testPathIgnorePatterns: [...usual.testPathIgnorePatterns, '\\.(mysql|redis|sqlite|slow)\\.test\\.ts$'],
  globalSetup: undefined,
  globalTeardown: undefined,
};
