import { findFreePort } from '@messagebox/test-kit/ports';
import { runCommand } from './support/run-command.ts';
import { startSilentServer } from './support/silent-server.ts';

const key = '11'.repeat(32);
const someone = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

test('help lists all commands, the environment and the exit codes', async () => {
  const { code, stdout } = await runCommand(['--help']);

  expect(code).toBe(0);
  for (const command of [
    'start',
    'identity',
    'send',
    'list',
    'listen',
    'ack',
    'permissions',
    'quote',
    'devices',
    'status',
    'doctor',
    'account',
    'admin',
  ]) {
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
  expect(stdout).toContain('MESSAGEBOX_URL');
  expect(stdout).toContain('Exit codes:');
});

test.each([
  ['send'],
  ['list'],
  ['listen'],
  ['ack'],
  ['start'],
  ['doctor'],
  ['status'],
  ['quote'],
  ['permissions', 'set'],
  ['account', 'export'],
])('help of %s %s has an example', async (...command) => {
  const { code, stdout } = await runCommand([...command, '--help']);

  expect(code).toBe(0);
  expect(stdout).toMatch(/Examples?:\n +\$ messagebox /);
});

test.each([
  ['an unknown command', ['frobnicate'], /unknown command/],
  ['an unknown option', ['list', 'inbox', '--colour'], /unknown option/],
  ['a missing argument', ['list'], /missing required argument/],
  ['a recipient that is no key', ['send', '02abc', 'inbox', 'x'], /66 hexadecimal characters/],
  [
    'a recipient that is no point of the curve',
    ['send', `02${'f'.repeat(64)}`, 'inbox', 'x'],
    /66 hexadecimal characters/,
  ],
  ['a fee that is no number', ['permissions', 'set', 'inbox', 'cheap'], /allow, block, or a number/],
  ['a server that is no URL', ['list', 'inbox', '--server', 'localhost:8080'], /--server must be a URL/],
  ['a time limit of zero', ['list', 'inbox', '--timeout', '0'], /number of seconds/],
  ['an empty message', ['send', someone, 'inbox', ''], /has no text/],
  ['bytes that are no text', ['send', someone, 'inbox'], /not UTF-8/],
  ['a group without a command', ['permissions'], /Usage: messagebox permissions/],
])('%s is a wrong use, with exit code 2 and no stack', async (_title, args, message) => {
  const { code, stdout, stderr } = await runCommand(args, {
    env: { MESSAGEBOX_KEY: key },
    input: Buffer.from([0xff, 0xfe, 0x00]),
  });

  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('a server that is not there gives exit code 3, and a stack only for DEBUG', async () => {
  const env = { MESSAGEBOX_KEY: key, MESSAGEBOX_URL: `http://127.0.0.1:${await findFreePort()}` };

  const [plain, status, debug] = await Promise.all([
    runCommand(['list', 'inbox'], { env }),
    runCommand(['status'], { env }),
    runCommand(['list', 'inbox'], { env: { ...env, DEBUG: 'messagebox' } }),
  ]);

  for (const outcome of [plain, status]) {
    expect(outcome.code).toBe(3);
    expect(outcome.stdout).toBe('');
    expect(outcome.stderr).toContain('nothing listens there');
    expect(outcome.stderr).not.toMatch(/^ +at /m);
  }
  expect(debug.code).toBe(3);
  expect(debug.stderr).toMatch(/^ +at /m);
});

test('a server that never answers gives exit code 3 after the time limit', async () => {
  const silent = await startSilentServer();
  try {
    const env = { MESSAGEBOX_KEY: key, MESSAGEBOX_URL: `http://127.0.0.1:${silent.port}` };

    const { code, stderr } = await runCommand(['list', 'inbox', '--timeout', '0.5'], { env });

    expect(code).toBe(3);
    expect(stderr).toContain('within 0.5 s');
  } finally {
    await silent.close();
  }
});
