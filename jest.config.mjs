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
const esmOnly = ['get-port', 'httpxy'];

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
    '^@messagebox/(brc103|payments|shared|test-kit|wallet|web)$': '<rootDir>/packages/$1/src/index.ts',
    '^@messagebox/(api|overlay|realtime|standalone)$': '<rootDir>/services/$1/src/index.ts',
    // TypeScript's `./file.js` is `./file.ts` on disk; a dependency's really is `./file.js`.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  transform: { '\\.(ts|mjs|js)$': swc },
  transformIgnorePatterns: [`/node_modules/(?!\\.pnpm/)(?!(${esmOnly.join('|')})/)`],
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/tests/support/realm.ts'],
  testTimeout: 60_000,
  maxWorkers: 2,
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
};
