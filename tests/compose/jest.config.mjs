import usual from '../../jest.config.mjs';

/** Tests of the running compose project. scripts/compose-test.mjs starts it, and these with its address. */
export default {
  ...usual,
  rootDir: '../..',
  roots: ['<rootDir>/tests/compose'],
  testMatch: ['<rootDir>/tests/compose/*.compose.ts'],
  // The compose project is running already, so the tests start no servers.
  globalSetup: undefined,
  globalTeardown: undefined,
};
