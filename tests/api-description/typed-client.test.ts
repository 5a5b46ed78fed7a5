import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '../..');
const tests = path.join(root, 'tests');
let folder: string;

beforeEach(() => {
  // Inside of the tests' folder, so that the program finds the packages that it imports.
  const cache = path.join(tests, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(path.join(cache, 'typed-client-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

test('a client that is generated from docs/openapi.json has the types that a program expects', () => {
  const generator = path.join(tests, 'node_modules/openapi-typescript/bin/cli.js');
  const generated = path.join(folder, 'schema.d.ts');
  expect(run(generator, path.join(root, 'docs/openapi.json'), '--output', generated)).toBe('');
  copyFileSync(path.join(__dirname, 'typed-client/program.ts'), path.join(folder, 'program.ts'));
  writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
  const compilerOptions = {
    ...{ target: 'ES2022', lib: ['ES2022', 'DOM', 'DOM.Iterable'], module: 'NodeNext', types: [] },
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: true, noEmit: true },
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
  expect(run(path.join(root, 'node_modules/typescript/bin/tsc'), '--project', folder)).toBe('');
});
