import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createPerson, type Person, parseLines } from './support/people.ts';
import { runCommand } from './support/run-command.ts';
import { type StandaloneServer, startStandalone } from './support/standalone.ts';

// Processes are started, and a busy machine takes its time.
jest.setTimeout(180_000);

let folder: ReturnType<typeof createTemporaryFolder>;
let server: StandaloneServer;
let operator: Person;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  folder = createTemporaryFolder();
  // The key of the operator must be known before the server starts.
  const { identityKey, keyFile, env } = await createPerson(folder.path, 'operator', '');
  server = await startStandalone({ ADMIN_IDENTITY_KEYS: identityKey });
  operator = { identityKey, keyFile, env: { ...env, MESSAGEBOX_URL: server.url } };
  [alice, bob] = await Promise.all([
    createPerson(folder.path, 'alice', server.url),
    createPerson(folder.path, 'bob', server.url),
  ]);
  await as(alice, ['send', bob.identityKey, 'inbox', 'hello']);
  await as(alice, ['send', bob.identityKey, 'other', 'hello again']);
});

afterAll(async () => {
  await server?.close();
  folder?.remove();
});

const as = (person: Person, args: readonly string[]) => runCommand(args, { env: person.env });

async function readJson(person: Person, args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await as(person, [...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test.each([
  ['stats', /^messages +/m],
  ['instances', /standalone/],
  ['boxes', /BOX/],
  ['senders', /IDENTITY/],
  ['jobs', /ATTEMPTS/],
  ['audit', /OPERATOR/],
  ['config', /version +\d/],
  ['advertisements', /^/],
  ['fees list', /SATOSHIS/],
])('an operator sees %s as text and as JSON', async (command, text) => {
  const args = ['admin', ...command.split(' ')];

  const printed = await as(operator, args);
  expect(printed.code).toBe(0);
  expect(printed.stdout).toMatch(text);
  expect(await readJson(operator, args)).toBeDefined();
});

test.each(['stats', 'instances', 'boxes', 'audit', 'config'])(
  '%s is refused to others with exit code 4',
  async (command) => {
    const { code, stdout, stderr } = await as(alice, ['admin', command]);

    expect(code).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toContain('ERR_NOT_ADMIN');
  },
);

test('status shows the instances to an operator', async () => {
  expect(await readJson(operator, ['status'])).toMatchObject({
    operator: true,
    instances: [expect.objectContaining({ service: 'standalone' })],
  });
});

test('an identity is blocked, refused, shown, and let in again', async () => {
  const mallory = await createPerson(folder.path, 'mallory', server.url);
  const { identityKey } = mallory;

  expect(await as(operator, ['admin', 'block', identityKey, '--reason', 'spam\u001b[31m'])).toMatchObject({ code: 0 });
  const refused = await as(mallory, ['list', 'inbox']);
  const shown = await as(operator, ['admin', 'identity', identityKey]);
  const audit = await as(operator, ['admin', 'audit']);
  await as(operator, ['admin', 'unblock', identityKey]);
  const again = await as(mallory, ['list', 'inbox']);

  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('ERR_IDENTITY_BLOCKED');
  expect(shown.stdout).toMatch(/blocked +since .* by /);
  expect(shown.stdout).toContain('spam\\x1b[31m');
  expect(audit.stdout).toMatch(/block/);
  expect(again.code).toBe(0);
});

test('a purge asks first, and removes the messages of a box', async () => {
  const carol = await createPerson(folder.path, 'carol', server.url);
  await as(alice, ['send', carol.identityKey, 'keep', 'x']);
  await as(alice, ['send', carol.identityKey, 'drop', 'x']);

  const unasked = await as(operator, ['admin', 'purge', carol.identityKey, '--box', 'drop']);
  const before = parseLines((await as(carol, ['list', 'drop'])).stdout);
  const purged = await readJson(operator, ['admin', 'purge', carol.identityKey, '--box', 'drop', '--yes']);

  expect(unasked.code).toBe(2);
  expect(unasked.stderr).toContain('--yes');
  expect(before).toHaveLength(1);
  expect(purged).toMatchObject({ removed: 1, kept: 0 });
  expect((await as(carol, ['list', 'drop'])).stdout).toBe('');
  expect(parseLines((await as(carol, ['list', 'keep'])).stdout)).toHaveLength(1);
});

test('an operator sets a fee', async () => {
  await as(operator, ['admin', 'fees', 'set', 'newsletters', '3']);

  expect((await as(operator, ['admin', 'fees', 'list'])).stdout).toMatch(/3 +newsletters/);
});

test('an account is exported to a private file that is never replaced', async () => {
  const out = path.join(folder.path, 'bob.ndjson');

  const exported = await as(bob, ['account', 'export', '--out', out]);
  const again = await as(bob, ['account', 'export', '--out', out]);

  expect(exported.code).toBe(0);
  const records = parseLines(readFileSync(out, 'utf8'));
  expect(records[0]).toMatchObject({ type: 'account', identityKey: bob.identityKey });
  expect(records.filter(({ type }) => type === 'message')).toHaveLength(2);
  expect(records.some(({ type }) => type === 'end')).toBe(false);
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(again.code).toBe(2);
  expect(again.stderr).toContain('exists already');
});

test('an account is deleted only with --yes where nobody can be asked', async () => {
  const dave = await createPerson(folder.path, 'dave', server.url);
  await as(alice, ['send', dave.identityKey, 'inbox', 'x']);

  const unasked = await as(dave, ['account', 'delete']);
  const before = parseLines((await as(dave, ['list', 'inbox'])).stdout);
  const deleted = await readJson(dave, ['account', 'delete', '--yes']);

  expect(unasked.code).toBe(2);
  expect(before).toHaveLength(1);
  expect(deleted).toMatchObject({ status: 'success', removed: { messages: 1 } });
  expect((await as(dave, ['list', 'inbox'])).stdout).toBe('');
  expect(existsSync(dave.keyFile)).toBe(true);
});
