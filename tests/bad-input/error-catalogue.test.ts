import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ruleErrorCodes } from '@messagebox/messages';
import { documentedErrors } from '@messagebox/test-support/documented-errors';

const root = resolve(__dirname, '..', '..');
const read = (...parts: string[]) => readFileSync(join(root, ...parts), 'utf8');

/** The members of a type of text literals, as its source has them. */
const authErrorCodes = [
  ...(/type AuthErrorCode =([^;]*);/.exec(read('packages/brc103/src/errors.ts'))?.[1] ?? '').matchAll(/'([A-Z_]+)'/g),
].map(([, code]) => code ?? '');

/** Every error code that some source file names. */
function codesInUse(): Set<string> {
  const codes = new Set<string>();
  for (const group of ['packages', 'services']) {
    for (const name of readdirSync(join(root, group))) {
      const files = readdirSync(join(root, group, name, 'src'), { recursive: true, encoding: 'utf8' });
      for (const file of files.filter((one) => one.endsWith('.ts') && !one.endsWith('.test.ts'))) {
        const literals = read(group, name, 'src', file).matchAll(/'(ERR_[A-Z_]+|UNAUTHORIZED)'/g);
        for (const [, code] of literals) if (code !== undefined && !isNodes(code)) codes.add(code);
      }
    }
  }
  // The edge answers with codes of its own where no server does.
  for (const [code] of read('deploy', 'edge', 'nginx.conf').matchAll(/ERR_[A-Z_]+/g)) codes.add(code);
  return codes;
}

/** Codes of Node's own errors, which our code looks at and never sends. */
const isNodes = (code: string) => /^ERR_(HTTP|STREAM|SERVER|SOCKET|TLS|INVALID_ARG|UNHANDLED|USE_AFTER)_/.test(code);

test('every code of a rule is documented', () => {
  expect(ruleErrorCodes.length).toBeGreaterThan(15);
  expect(ruleErrorCodes.filter((code) => !documentedErrors.has(code))).toEqual([]);
});

test('every code of authentication is documented', () => {
  expect(authErrorCodes).toContain('UNAUTHORIZED');
  expect(authErrorCodes.filter((code) => !documentedErrors.has(code))).toEqual([]);
});

test('every code has the form that clients pass on, except the one that BRC-104 middleware prescribes', () => {
  const codes = [...codesInUse(), ...documentedErrors.keys(), ...ruleErrorCodes, ...authErrorCodes];
  expect([...new Set(codes)].filter((code) => !/^ERR_[A-Z0-9_]{1,64}$/.test(code))).toEqual(['UNAUTHORIZED']);
});

test('the documentation lists exactly the codes that the sources use', () => {
  expect([...documentedErrors.keys()].sort()).toEqual([...codesInUse()].sort());
});

test('every code has a status, and one entry in the documentation', () => {
  for (const [code, statuses] of documentedErrors) {
    expect({ code, isOne: statuses.length > 0 && statuses.every((status) => status >= 400) }).toEqual({
      code,
      isOne: true,
    });
    expect({ code, rows: read('docs/errors.md').split(`| \`${code}\` |`).length - 1 }).toEqual({ code, rows: 1 });
  }
});
