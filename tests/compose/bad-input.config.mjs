import usual from '../../jest.config.mjs';

/** The bad-input suites once more, with the edge between clients and server. */
export default {
  ...usual,
  rootDir: '../..',
  roots: ['<rootDir>/tests/bad-input'],
  testMatch: ['<rootDir>/tests/bad-input/*.test.ts'],
  moduleNameMapper: {
    '^\\./server\\.ts$': '<rootDir>/tests/compose/server-behind-edge.ts',
    ...usual.moduleNameMapper,
  },
  setupFilesAfterEnv: ['<rootDir>/tests/compose/edge-refusals.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
};
