import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { PrivateKey } from '@bsv/sdk';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { type MessageBoxOptions, type MessageBoxServer, startMessageBox } from '../src/index.ts';
import { createPerson, listBodies } from './support/person.ts';

const started: MessageBoxServer[] = [];

async function start(options?: MessageBoxOptions): Promise<MessageBoxServer> {
  const server = await startMessageBox(options);
  started.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

describe('startMessageBox', () => {
  test('starts a server that takes a message, lists it and forgets it when it is acknowledged', async () => {
    const server = await start();
    const [alice, bob] = [createPerson(server), createPerson(server)];
    await alice.client.sendMessage({ recipient: bob.key, messageBox: 'inbox', body: 'hello' }, server.url);
    const [message] = await bob.client.listMessages({ messageBox: 'inbox', host: server.url });
    expect(message).toMatchObject({ sender: alice.key, body: 'hello' });
    await bob.client.acknowledgeMessage({ messageIds: [message?.messageId ?? ''], host: server.url });
    expect(await listBodies(bob, server)).toEqual([]);
  });

  test('starts several servers at once, which share nothing', async () => {
    const [first, second, third] = await Promise.all([start(), start(), start()]);
    const servers = [first, second, third];
    expect(new Set(servers.map(({ url }) => url)).size).toBe(3);
    expect(new Set(servers.map(({ identityKey }) => identityKey)).size).toBe(3);
    const bobKey = PrivateKey.fromRandom();
    const [alice, bob, bobElsewhere] = [createPerson(first), createPerson(first, bobKey), createPerson(second, bobKey)];
    await alice.client.sendMessage({ recipient: bob.key, messageBox: 'inbox', body: 'only here' }, first.url);
    expect(await listBodies(bob, first)).toEqual(['only here']);
    expect(await listBodies(bobElsewhere, second)).toEqual([]);
  });

  test('listens on this machine only, and a server that is closed goes on being closed', async () => {
    const server = await start();
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await Promise.all([server.close(), server.close()]);
    await server.close();
    await expect(fetch(`${server.url}/health/live`)).rejects.toThrow('fetch failed');
  });

  test('has the identity of the private key that it is given', async () => {
    const privateKey = PrivateKey.fromRandom();
    const { identityKey } = await start({ serverPrivateKey: privateKey.toHex() });
    expect(identityKey).toBe(privateKey.toPublicKey().toString());
  });

  test('keeps messages and identity in a data directory from one start to the next', async () => {
    const folder = createTemporaryFolder();
    const dataDir = path.join(folder.path, 'data');
    const bobKey = PrivateKey.fromRandom();
    const first = await start({ dataDir });
    const [alice, bob] = [createPerson(first), createPerson(first, bobKey)];
    await alice.client.sendMessage({ recipient: bob.key, messageBox: 'inbox', body: 'kept' }, first.url);
    await first.close();

    const second = await start({ dataDir });
    expect(second.identityKey).toBe(first.identityKey);
    expect(await listBodies(createPerson(second, bobKey), second)).toEqual(['kept']);
    await second.close();
    folder.remove();
  });

  test('lets the operators that it is given use the operator routes, and nobody else', async () => {
    const [operator, stranger] = [PrivateKey.fromRandom(), PrivateKey.fromRandom()];
    const server = await start({ adminIdentityKeys: [operator.toPublicKey().toString()] });
    const readFees = async (key: PrivateKey) => {
      const { authFetch } = createPerson(server, key).client;
      return (await authFetch.fetch(`${server.url}/admin/fees`, { method: 'GET' })).status;
    };
    expect(await readFees(operator)).toBe(200);
    expect(await readFees(stranger)).toBe(403);
  });

  test('takes other settings by the names of the variables, and prefers its options to them', async () => {
    const server = await start({ host: '127.0.0.1', env: { HOST: 'not an address', ROUTING_PREFIX: '/api' } });
    const answer = await fetch(`${server.url}/api/sendMessage`, { method: 'POST' });
    expect(answer.status).toBe(401);
    expect((await fetch(`${server.url}/sendMessage`, { method: 'POST' })).status).toBe(404);
  });

  test('does not read the environment of the process', async () => {
    process.env['ROUTING_PREFIX'] = '/elsewhere';
    try {
      const server = await start();
      expect((await fetch(`${server.url}/sendMessage`, { method: 'POST' })).status).toBe(401);
    } finally {
      delete process.env['ROUTING_PREFIX'];
    }
  });

  test('installs no listeners on the process', async () => {
    const count = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const before = count();
    const server = await start();
    expect(count()).toEqual(before);
    await server.close();
    expect(count()).toEqual(before);
  });

  test('writes log lines to stderr, and only those that are asked for', async () => {
    const lines: string[] = [];
    const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      await start();
      expect(lines).toEqual([]);
      await start({ logLevel: 'info' });
    } finally {
      write.mockRestore();
    }
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain('listening');
  });
});

describe('startMessageBox refuses', () => {
  test.each<[string, object, string]>([
    ['an option that it does not have', { prot: 8080 }, 'startMessageBox has no option "prot"'],
    ['a log level that there is not', { logLevel: 'loud' }, 'logLevel must be one of silent, fatal, error'],
    ['a port that is too high', { port: 65_536 }, 'PORT must be'],
    ['a port that is no number', { port: Number.NaN }, 'PORT must be'],
    ['an operator without a key', { adminIdentityKeys: ['me'] }, 'ADMIN_IDENTITY_KEYS must be'],
    ['a variable that is wrong', { env: { RETENTION_DAYS: '-1' } }, 'RETENTION_DAYS must be'],
    ['production without a private key', { env: { NODE_ENV: 'production' } }, 'SERVER_PRIVATE_KEY is missing'],
  ])('%s', async (_, options, message) => {
    await expect(startMessageBox(options)).rejects.toThrow(message);
  });

  test('a private key that is wrong, without repeating it', async () => {
    const secret = 'ab'.repeat(31);
    const refused = startMessageBox({ serverPrivateKey: secret });
    await expect(refused).rejects.toThrow('SERVER_PRIVATE_KEY must be');
    await expect(refused).rejects.not.toThrow(secret);
  });

  test('a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startMessageBox({ port })).rejects.toThrow(`port ${port} is in use`);
    await new Promise((resolve) => other.close(resolve));
    // What it had opened is closed: the port is free for the next one.
    expect((await start({ port })).url).toBe(`http://127.0.0.1:${port}`);
  });
});
