import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { waitUntil } from '@messagebox/test-kit';
import type { ManagedProcess } from '@messagebox/test-support/managed-process';
import { type MessageBoxServer, startMessageBox } from 'messagebox';
import { startExample } from './support/example.ts';

let server: MessageBoxServer;
const running: ManagedProcess[] = [];

beforeAll(async () => {
  server = await startMessageBox();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.terminate('SIGKILL')));
});
afterAll(() => server.close());

function start(name: string, args: readonly string[], env: Record<string, string> = {}): ManagedProcess {
  const started = startExample(name, args, { MESSAGEBOX_URL: server.url, ...env });
  running.push(started);
  return started;
}

function createPerson() {
  const key = PrivateKey.fromRandom();
  const client = new MessageBoxClient({
    host: server.url,
    walletClient: new CompletedProtoWallet(key),
    networkPreset: 'local',
  });
  return { key: key.toPublicKey().toString(), client };
}

/** The key that a program prints at the end of a line. */
const readKey = async (process: ManagedProcess): Promise<string> =>
  (await process.waitForLine((line) => / 0[23][0-9a-f]{64}$/.test(line))).slice(-66);

describe('examples/bot', () => {
  const answersOf = async ({ client }: ReturnType<typeof createPerson>) =>
    (await client.listMessages({ messageBox: 'answers', host: server.url })).map(({ body }) => body);

  test('answers a message that arrives live, and acknowledges it', async () => {
    const privateKey = PrivateKey.fromRandom();
    const bot = start('bot', ['bot.js'], { BOT_KEY: privateKey.toHex() });
    const recipient = await readKey(bot);
    expect(recipient).toBe(privateKey.toPublicKey().toString());
    const alice = createPerson();
    await alice.client.sendMessage({ recipient, messageBox: 'bot', body: 'hello' }, server.url);
    await waitUntil('the bot answers', async () => (await answersOf(alice)).length > 0);
    expect(await answersOf(alice)).toEqual(['You said: hello']);
  });

  test('answers at its start what came before, and once', async () => {
    const privateKey = PrivateKey.fromRandom();
    const recipient = privateKey.toPublicKey().toString();
    const alice = createPerson();
    await alice.client.sendMessage({ recipient, messageBox: 'bot', body: 'are you there?' }, server.url);
    for (let starts = 0; starts < 2; starts++) {
      const bot = start('bot', ['bot.js'], { BOT_KEY: privateKey.toHex() });
      await readKey(bot);
      await bot.terminate('SIGTERM');
    }
    expect(await answersOf(alice)).toEqual(['You said: are you there?']);
  });
});

describe('examples/server-to-server', () => {
  test('does each job and tells the results, also of one that can not be done', async () => {
    const warehouse = start('server-to-server', ['warehouse.js']);
    const key = await readKey(warehouse);
    const shop = start('server-to-server', ['shop.js', key, 'tea', 'water', 'cups']);
    expect(await shop.closed).toEqual({ code: 0, signal: null });
    expect(shop.lines).toEqual(['packed tea', 'could not pack water: it has no box', 'packed cups']);
  });

  test('loses no job when the warehouse is killed or does not run, and survives what is no job', async () => {
    const privateKey = PrivateKey.fromRandom();
    const recipient = privateKey.toPublicKey().toString();
    const stranger = createPerson();
    await stranger.client.sendMessage({ recipient, messageBox: 'jobs', body: 'this is no job' }, server.url);
    const shop = start('server-to-server', ['shop.js', recipient, ...'abcdefgh']);
    const first = start('server-to-server', ['warehouse.js'], { WAREHOUSE_KEY: privateKey.toHex() });
    await first.waitForLine((line) => line.startsWith('packed'));
    await first.terminate('SIGKILL');
    start('server-to-server', ['warehouse.js'], { WAREHOUSE_KEY: privateKey.toHex() });
    expect(await shop.closed).toEqual({ code: 0, signal: null });
    expect([...shop.lines].sort()).toEqual([...'abcdefgh'].map((job) => `packed ${job}`));
  });

  test('explains how the shop is used when its arguments are wrong', async () => {
    const shop = start('server-to-server', ['shop.js', 'nobody', 'tea']);
    expect(await shop.closed).toEqual({ code: 2, signal: null });
    expect(shop.lines).toEqual(['Usage: node shop.js WAREHOUSE_KEY JOB…']);
  });
});

test('examples/payment-inbox moves the money, and leaves nothing in the inbox', async () => {
  const program = start('payment-inbox', ['main.js']);
  expect(await program.closed).toEqual({ code: 0, signal: null });
  expect(program.lines).toEqual([
    expect.stringMatching(/^Carol sent 1000 satoshis and has \d+ left$/),
    'Dave accepted 1000 satoshis and has 1000',
    '0 payments wait',
  ]);
});

test('examples/embedded-tests pass', async () => {
  const tests = startExample('embedded-tests', ['--test']);
  running.push(tests);
  const { code } = await tests.closed;
  expect([code, tests.lines.filter((line) => /^(#|ℹ) (pass|fail) /.test(line)).map((line) => line.slice(2))]).toEqual([
    0,
    ['pass 3', 'fail 0'],
  ]);
});
