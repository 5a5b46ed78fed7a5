// For this package alone, without the servers that other packages' tests need: `npm test` in this folder. The tests read
// the TypeScript sources.
const swc = [
  '@swc/jest',
  {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023', keepClassNames: true },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  },
];

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  moduleNameMapper: {
    '^@messagebox/test-kit$': '<rootDir>/../test-kit/src/index.ts',
    '^@messagebox/test-kit/ports$': '<rootDir>/../test-kit/src/ports.ts',
    // TypeScript's `./file.js` is `./file.ts` on disk; a dependency's really is `./file.js`.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  transform: { '\\.ts$': swc },
  testEnvironment: 'node',
  testTimeout: 60_000,
  maxWorkers: 2,
};
