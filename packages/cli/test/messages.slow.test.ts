import { readFileSync } from 'node:fs';
import path from 'node:path';
import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createPerson, type Person, parseLines } from './support/people.ts';
import { runCommand, startCommand } from './support/run-command.ts';
import { type StandaloneServer, startStandalone } from './support/standalone.ts';

// Processes are started, and a busy machine takes its time.
jest.setTimeout(180_000);

let folder: ReturnType<typeof createTemporaryFolder>;
let server: StandaloneServer;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  folder = createTemporaryFolder();
  server = await startStandalone();
  [alice, bob] = await Promise.all([
    createPerson(folder.path, 'alice', server.url),
    createPerson(folder.path, 'bob', server.url),
  ]);
});

afterAll(async () => {
  await server?.close();
  folder?.remove();
});

const as = (person: Person, args: readonly string[], input?: string) =>
  runCommand(args, { env: person.env, ...(input === undefined ? {} : { input }) });

async function listBox(person: Person, box: string) {
  const { code, stdout, stderr } = await as(person, ['list', box, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return parseLines(stdout);
}

test('a message is sent encrypted, listed, acknowledged, and gone', async () => {
  const sent = await as(alice, ['send', bob.identityKey, 'first', 'See you at noon', '--json']);
  expect(sent).toMatchObject({ code: 0, stderr: '' });
  const { messageId } = JSON.parse(sent.stdout) as { messageId: string };

  const [message] = await listBox(bob, 'first');
  expect(message).toMatchObject({
    messageId,
    sender: alice.identityKey,
    body: 'See you at noon',
    encrypted: true,
    payment: false,
  });

  const acknowledged = await as(bob, ['ack', messageId]);
  expect(acknowledged).toMatchObject({ code: 0, stderr: 'Acknowledged 1 message.\n' });
  expect(await listBox(bob, 'first')).toEqual([]);
});

test('messages are counted, and their sender is told what has become of them', async () => {
  const sent = await as(alice, ['send', bob.identityKey, 'counted', 'hello', '--plain', '--json']);
  const { messageId } = JSON.parse(sent.stdout) as { messageId: string };
  expect(await as(bob, ['list', 'counted', '--count'])).toMatchObject({ code: 0, stdout: '1\n' });
  const counted = await as(bob, ['list', 'counted', '--count', '--json']);
  expect(JSON.parse(counted.stdout)).toMatchObject({ messageBox: 'counted', count: 1, bytes: 5 });
  const boxes = await as(bob, ['boxes', '--json']);
  expect(JSON.parse(boxes.stdout)).toContainEqual(expect.objectContaining({ messageBox: 'counted', count: 1 }));
  expect((await as(bob, ['boxes'])).stdout).toMatch(/counted +1 +5 B/);
  const status = async () => JSON.parse((await as(alice, ['sent', messageId, '--json'])).stdout) as unknown;
  expect(await status()).toEqual([{ messageId, recipient: bob.identityKey, state: 'stored' }]);
  await as(bob, ['ack', messageId]);
  expect(await status()).toEqual([{ messageId, state: 'acknowledged' }]);
  expect((await as(alice, ['sent', messageId])).stdout).toContain('acknowledged');
});

test('a recipient switches receipts off', async () => {
  const set = await as(bob, ['permissions', 'set', 'silent', 'allow', '--receipts', 'off']);
  expect(set).toMatchObject({ code: 0, stdout: expect.stringMatching(/silent +free +off +all/) });
  const sent = await as(alice, ['send', bob.identityKey, 'silent', 'hello', '--plain', '--json']);
  const { messageId } = JSON.parse(sent.stdout) as { messageId: string };
  const { stdout } = await as(alice, ['sent', messageId, '--json']);
  expect(JSON.parse(stdout)).toEqual([{ messageId, state: 'unknown' }]);
});

test('a text comes from the standard input, with its characters and without its last line break', async () => {
  await as(alice, ['send', bob.identityKey, 'stdin', '--plain'], 'Grüße, 世界 🎉\nsecond line\n');

  const [message] = await listBox(bob, 'stdin');
  expect(message).toMatchObject({ body: 'Grüße, 世界 🎉\nsecond line', encrypted: false });
});

test('the client of apps reads what the command sends, and the command reads what it sends', async () => {
  const app = PrivateKey.fromRandom();
  const client = new MessageBoxClient({
    host: server.url,
    walletClient: new CompletedProtoWallet(app),
    networkPreset: 'local',
  });
  await client.init(server.url);

  await as(alice, ['send', app.toPublicKey().toString(), 'apps', 'from the command']);
  await client.sendMessage({ recipient: alice.identityKey, messageBox: 'apps', body: 'from the app' }, server.url);

  const received = await client.listMessages({ messageBox: 'apps', host: server.url });
  expect(received).toEqual([expect.objectContaining({ body: 'from the command', sender: alice.identityKey })]);
  expect(await listBox(alice, 'apps')).toEqual([expect.objectContaining({ body: 'from the app', encrypted: true })]);
});

test('a message that is encrypted for somebody else is listed as such, and the others with it', async () => {
  await as(alice, ['send', bob.identityKey, 'mixed', '--plain', JSON.stringify({ encryptedMessage: 'AAAA' })]);
  await as(alice, ['send', bob.identityKey, 'mixed', 'fine']);

  const messages = await listBox(bob, 'mixed');
  expect(messages.map(({ body }) => body)).toEqual([null, 'fine']);
  expect(messages[0]).toMatchObject({ problem: expect.stringContaining('can not be decrypted') });
});

test('escape sequences of a stranger do nothing: names and bodies are inert', async () => {
  const hostile = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202egnp.exe';
  await as(alice, ['send', bob.identityKey, 'hostile', hostile, '--id', 'id\u001b[1m']);

  const { stdout } = await as(bob, ['list', 'hostile']);

  // Nothing but printable characters and the end of the line.
  expect(stdout).toMatch(/^[\x20-\x7e]*\n$/);
  expect(JSON.parse(stdout)).toMatchObject({ body: hostile, messageId: 'id\u001b[1m' });
});

test('a refusal of the server gives exit code 4 with its code', async () => {
  await as(bob, ['permissions', 'set', 'closed', 'block', '--sender', alice.identityKey]);

  const { code, stdout, stderr } = await as(alice, ['send', bob.identityKey, 'closed', 'x']);

  expect(code).toBe(4);
  expect(stdout).toBe('');
  expect(stderr).toContain('ERR_DELIVERY_BLOCKED');
  expect(await listBox(bob, 'closed')).toEqual([]);
});

test('a message with a price is refused, and the command says what it costs', async () => {
  await as(bob, ['permissions', 'set', 'paid', '25']);

  const quote = await as(alice, ['quote', bob.identityKey, 'paid', '--json']);
  const { code, stderr } = await as(alice, ['send', bob.identityKey, 'paid', 'x']);

  expect(JSON.parse(quote.stdout)).toMatchObject({ recipientFee: 25 });
  expect(code).toBe(4);
  expect(stderr).toContain('messagebox quote');
});

test('permissions are set, read and listed', async () => {
  await as(bob, ['permissions', 'set', 'box a', '7', '--sender', alice.identityKey]);

  const [one, none, all] = await Promise.all([
    as(bob, ['permissions', 'get', 'box a', '--sender', alice.identityKey, '--json']),
    as(bob, ['permissions', 'get', 'box b', '--json']),
    as(bob, ['permissions', 'list', '--box', 'box a']),
  ]);

  expect(JSON.parse(one.stdout)).toMatchObject({ messageBox: 'box a', recipientFee: 7, sender: alice.identityKey });
  expect(JSON.parse(none.stdout)).toBeNull();
  expect(all.stdout).toMatch(/box a +7 satoshis +- +0[23]/);
});

test('a device is registered, listed and unregistered', async () => {
  const token = `token-${'x'.repeat(40)}`;
  const registered = await as(bob, [
    'devices',
    'register',
    token,
    '--device-id',
    'phone',
    '--platform',
    'android',
    '--json',
  ]);
  expect(registered.code).toBe(0);

  const { stdout } = await as(bob, ['devices', 'list', '--json']);

  expect(JSON.parse(stdout)).toEqual([
    expect.objectContaining({ deviceId: 'phone', platform: 'android', active: true }),
  ]);

  const ended = await as(bob, ['devices', 'unregister', token]);
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/registration +ended/) });
  expect(JSON.parse((await as(bob, ['devices', 'list', '--json'])).stdout)).toEqual([]);
  const again = await as(bob, ['devices', 'unregister', token, '--json']);
  expect(JSON.parse(again.stdout)).toEqual({ unregistered: true });
});

test('listen prints one line of JSON for each message, and ends with exit code 0 on Ctrl-C', async () => {
  const listening = startCommand(['listen', 'live', 'other'], { env: bob.env });
  await listening.waitForLine((line) => line.startsWith('Listening to'));

  await as(alice, ['send', bob.identityKey, 'live', 'one']);
  await listening.waitForLine((line) => line.includes('"body":"one"'));
  await as(alice, ['send', bob.identityKey, 'other', 'two']);
  await listening.waitForLine((line) => line.includes('"body":"two"'));
  const { code } = await listening.terminate('SIGINT');

  expect(code).toBe(0);
  expect(parseLines(listening.lines.filter((line) => line.startsWith('{')).join('\n'))).toEqual([
    expect.objectContaining({ messageBox: 'live', body: 'one', sender: alice.identityKey, encrypted: true }),
    expect.objectContaining({ messageBox: 'other', body: 'two' }),
  ]);
});

test('listen goes on after the server was restarted, and prints no message twice', async () => {
  const key = readFileSync(path.join(server.dataDir, 'server-private-key'), 'utf8').trim();
  const own = await startStandalone({ SERVER_PRIVATE_KEY: key });
  const env = { ...bob.env, MESSAGEBOX_URL: own.url };
  const listening = startCommand(['listen', 'restart'], { env });
  try {
    await listening.waitForLine((line) => line.startsWith('Listening to'));
    await runCommand(['send', bob.identityKey, 'restart', 'before'], {
      env: { ...alice.env, MESSAGEBOX_URL: own.url },
    });
    await listening.waitForLine((line) => line.includes('"body":"before"'));

    await own.interrupt();
    await listening.waitForLine((line) => line.includes('connection was lost'));
    const again = startCommand(
      ['start', '--port', new URL(own.url).port, '--host', '127.0.0.1', '--data-dir', own.dataDir],
      {
        env: { SERVER_PRIVATE_KEY: key },
        cwd: own.dataDir,
      },
    );
    await again.waitForLine((line) => line.includes('"msg":"listening"'));
    await runCommand(['send', bob.identityKey, 'restart', 'after'], { env: { ...alice.env, MESSAGEBOX_URL: own.url } });
    await listening.waitForLine((line) => line.includes('"body":"after"'));
    await again.terminate('SIGTERM');

    const bodies = parseLines(listening.lines.filter((line) => line.startsWith('{')).join('\n')).map(
      ({ body }) => body,
    );
    expect(bodies).toEqual(['before', 'after']);
  } finally {
    await listening.terminate('SIGTERM');
    await own.close();
  }
});

test('listen --stored --ack --count takes what is in the box, deletes it, and ends', async () => {
  for (const text of ['a', 'b', 'c']) await as(alice, ['send', bob.identityKey, 'queue', text]);

  const { code, stdout } = await as(bob, ['listen', 'queue', '--stored', '--ack', '--count', '2']);

  expect(code).toBe(0);
  expect(parseLines(stdout).map(({ body }) => body)).toEqual(['a', 'b']);
  expect((await listBox(bob, 'queue')).map(({ body }) => body)).toEqual(['c']);
});

test('more messages than a page are listed, in order', async () => {
  const client = new MessageBoxClient({
    host: server.url,
    walletClient: new CompletedProtoWallet(PrivateKey.fromHex(alice.env['MESSAGEBOX_KEY'] ?? '')),
    networkPreset: 'local',
  });
  await client.init(server.url);
  const recipient = bob.identityKey;
  for (let n = 0; n < 12; n += 1) {
    await client.sendMessage({ recipient, messageBox: 'many', body: `${n}`, skipEncryption: true }, server.url);
  }

  const { stdout } = await as(bob, ['list', 'many', '--json', '--limit', '10']);

  expect(parseLines(stdout).map(({ body }) => body)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('status shows that the server is ready, and its identity', async () => {
  const key = JSON.parse((await as(alice, ['status', '--json'])).stdout) as Record<string, unknown>;

  expect(key).toMatchObject({
    ready: true,
    checks: { database: 'ok' },
    operator: false,
    ownIdentityKey: alice.identityKey,
  });
  expect(key['identityKey']).toMatch(/^0[23][0-9a-f]{64}$/);
});

test('status shows what the server is and what it allows, as it says itself', async () => {
  const info: unknown = await (await fetch(`${server.url}/info`)).json();

  const [json, lines] = await Promise.all([as(alice, ['status', '--json']), as(alice, ['status'])]);

  expect(JSON.parse(json.stdout)).toMatchObject({ info });
  expect(lines.stdout).toMatch(/^version +\d+\.\d+\.\d+, network local$/m);
  expect(lines.stdout).toMatch(/^largest request +10,485,760 bytes$/m);
  expect(lines.stdout).toMatch(/^recipients +100 in one send$/m);
  expect(lines.stdout).toMatch(/^retention +until acknowledged$/m);
  expect(lines.stdout).toMatch(/^delivery fees +notifications 10 satoshis$/m);
  expect(lines.stdout).toMatch(/^live +\/socket\.io\/$/m);
  expect(lines.stdout).toMatch(/^pushed +notifications$/m);
});

test('start ends with exit code 0 on Ctrl-C', async () => {
  const own = await startStandalone();

  const { code } = await own.interrupt();

  expect(code).toBe(0);
  await own.close();
});

test('a start that is impossible is explained without a stack', async () => {
  const { code, stderr } = await runCommand(['start', '--data-dir', '/dev/null/data'], { cwd: folder.path });
  const wrong = await runCommand(['start'], { cwd: folder.path, env: { NODE_ENV: 'production', NETWORK: 'local' } });

  expect(code).toBe(1);
  expect(stderr).toContain('Could not start');
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('SERVER_PRIVATE_KEY is missing');
  expect(stderr + wrong.stderr).not.toMatch(/^ +at /m);
});
