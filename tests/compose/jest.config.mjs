import usual from '../../jest.config.mjs';

/** Tests of the running compose project. scripts/compose-test.mjs starts it, and these with its address. */
export default {
  ...usual,
  rootDir: '../..',
  roots: ['<rootDir>/tests/compose'],
  testMatch: ['<rootDir>/tests/compose/*.compose.ts'],
  // What the tests talk to is running: no servers of their own.
  globalSetup: undefined,
  globalTeardown: undefined,
};
