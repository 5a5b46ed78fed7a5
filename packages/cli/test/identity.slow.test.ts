import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { runCommand } from './support/run-command.ts';

let folder: ReturnType<typeof createTemporaryFolder>;
let env: Record<string, string>;
let keyFile: string;

beforeEach(() => {
  folder = createTemporaryFolder();
  env = { XDG_CONFIG_HOME: folder.path };
  keyFile = path.join(folder.path, 'messagebox', 'identity.json');
});

afterEach(() => folder.remove());

test('a new identity is kept in a file that only its owner can read, and its private key is not printed', async () => {
  const { code, stdout, stderr } = await runCommand(['identity', 'new'], { env });

  expect(code).toBe(0);
  const kept = JSON.parse(readFileSync(keyFile, 'utf8')) as { identityKey: string; privateKey: string };
  expect(stdout).toContain(kept.identityKey);
  expect(kept.privateKey).toMatch(/^[0-9a-f]{64}$/);
  expect(stdout + stderr).not.toContain(kept.privateKey);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(statSync(path.dirname(keyFile)).mode & 0o777).toBe(0o700);
});

test('a second new identity does not replace the first one', async () => {
  await runCommand(['identity', 'new'], { env });
  const before = readFileSync(keyFile, 'utf8');

  const { code, stderr } = await runCommand(['identity', 'new'], { env });

  expect(code).toBe(1);
  expect(stderr).toContain('exists already');
  expect(readFileSync(keyFile, 'utf8')).toBe(before);
});

test('the private key is shown only to those who ask for it', async () => {
  await runCommand(['identity', 'new'], { env });
  const { privateKey, identityKey } = JSON.parse(readFileSync(keyFile, 'utf8')) as Record<string, string>;

  const [plain, json, asked] = await Promise.all([
    runCommand(['identity', 'show'], { env }),
    runCommand(['identity', 'show', '--json'], { env }),
    runCommand(['identity', 'show', '--private'], { env }),
  ]);

  expect(plain.stdout).toContain(identityKey);
  expect(plain.stdout + plain.stderr + json.stdout + json.stderr).not.toContain(privateKey);
  expect(asked.stdout).toContain(privateKey);
});

test('a key file that others can read is named', async () => {
  await runCommand(['identity', 'new'], { env });
  chmodSync(keyFile, 0o644);

  const { code, stderr } = await runCommand(['identity', 'show'], { env });

  expect(code).toBe(0);
  expect(stderr).toContain(`chmod 600 '${keyFile}'`);
});

test('MESSAGEBOX_KEY comes before the own key file, and --key-file before both', async () => {
  await runCommand(['identity', 'new'], { env });
  const other = path.join(folder.path, 'other.json');
  await runCommand(['identity', 'new', '--key-file', other]);
  const key = '0000000000000000000000000000000000000000000000000000000000000001';

  const [byVariable, byFile] = await Promise.all([
    runCommand(['identity', 'show', '--json'], { env: { ...env, MESSAGEBOX_KEY: key } }),
    runCommand(['identity', 'show', '--json', '--key-file', other], { env: { ...env, MESSAGEBOX_KEY: key } }),
  ]);

  expect(JSON.parse(byVariable.stdout)).toEqual({
    identityKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    keyFile: 'MESSAGEBOX_KEY',
  });
  expect(JSON.parse(byFile.stdout)).toMatchObject({ keyFile: other });
});

test.each([
  ['a file without a key', '{"version":1}', /holds no identity/],
  ['a file with half a key', '{"version":1,"privateKey":"abcdef"}', /holds no identity/],
  ['a key that is zero', `{"privateKey":"${'0'.repeat(64)}"}`, /holds no identity/],
  ['a key above the order of the curve', `{"privateKey":"${'f'.repeat(64)}"}`, /holds no identity/],
])('%s is refused without showing its content', async (_title, content, message) => {
  mkdirSync(path.dirname(keyFile), { recursive: true });
  writeFileSync(keyFile, content, { mode: 0o600 });

  const { code, stdout, stderr } = await runCommand(['identity', 'show'], { env });

  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
  expect(stderr).not.toContain('abcdef');
});

test('a wrong MESSAGEBOX_KEY is refused without showing it', async () => {
  const { code, stderr } = await runCommand(['identity', 'show'], { env: { ...env, MESSAGEBOX_KEY: 'not-a-key' } });

  expect(code).toBe(2);
  expect(stderr).toContain('MESSAGEBOX_KEY must be a private key');
  expect(stderr).not.toContain('not-a-key');
});

test('a command without an identity says how to make one', async () => {
  const { code, stderr } = await runCommand(['list', 'inbox'], { env });

  expect(code).toBe(2);
  expect(stderr).toContain('messagebox identity new');
});
