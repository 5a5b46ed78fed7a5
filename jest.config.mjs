// Sources, not builds: every package and service is read from src/, so a test never sees a stale dist/.
const swc = [
  '@swc/jest',
  {
    jsc: { parser: { syntax: 'typescript', decorators: false }, target: 'es2023', keepClassNames: true },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

// Published as ES modules only; everything else in node_modules is loaded as it is.
const esmOnly = ['p-timeout', 'get-port', 'httpxy', '@seriousme/openapi-schema-validator'];

/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/packages', '<rootDir>/services', '<rootDir>/tests'],
  testMatch: [
    '<rootDir>/packages/*/test/**/*.test.ts',
    '<rootDir>/packages/*/src/**/*.test.ts',
    '<rootDir>/services/**/test/**/*.test.ts',
    '<rootDir>/services/*/src/**/*.test.ts',
    '<rootDir>/tests/**/*.test.ts',
  ],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/(packages|services)/[^/]+/dist/'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: {
    '^@messagebox/(api-description|brc103|cli|console|devnet|messages|payments|shared|store|test-kit|transactions|uploads|wallet)$':
      '<rootDir>/packages/$1/src/index.ts',
    '^@messagebox/(brc103|test-kit|test-support)/([a-z0-9-]+)$': '<rootDir>/packages/$1/src/$2.ts',
    '^messagebox$': '<rootDir>/packages/messagebox/src/index.ts',
    '^@messagebox/(api|overlay|realtime|standalone)$': '<rootDir>/services/$1/src/index.ts',
    // The toolbox's storage server, which only tests start, requires these, and pnpm-workspace.yaml leaves them out.
    '^(@bsv/(?:auth|payment)-express-middleware|express)$': '<rootDir>/tests/node_modules/$1',
    // TypeScript's `./file.js` is `./file.ts` on disk; a dependency's really is `./file.js`.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  transform: { '\\.(ts|mjs|js)$': swc },
  transformIgnorePatterns: [`/node_modules/(?!\\.pnpm/)(?!(${esmOnly.join('|')})/)`],
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/tests/support/realm.ts'],
  setupFilesAfterEnv: ['<rootDir>/tests/support/contract/setup.ts'],
  testTimeout: 60_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/scripts/lib/long-suites-first.mjs',
  reporters: ['default', '<rootDir>/scripts/lib/progress-reporter.mjs'],
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
};
