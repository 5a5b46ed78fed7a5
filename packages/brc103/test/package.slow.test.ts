import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { AuthSocketClient } from '@bsv/authsocket-client';
import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { waitUntil } from '@messagebox/test-kit';
import { findFreePort } from '@messagebox/test-kit/ports';

const run = promisify(execFile);
const root = path.join(__dirname, '..');
const tsc = path.join(path.dirname(createRequire(__filename).resolve('typescript/package.json')), 'bin', 'tsc');
const SERVER_PRIVATE_KEY = '07'.repeat(32);

/** Dependencies that are linked from the workspace, so that the test needs no registry. */
const DEPENDENCIES = ['secp256k1', 'tiny-secp256k1', '@types/node'];
const TRANSPORTS = ['express', '@types/express', 'socket.io'];

let folder: string;
let tarball: string;
let packedFiles: string[];
const servers: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'brc103-package-'));
  await run(process.execPath, [tsc, '--build'], { cwd: root });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: root,
    env: { ...process.env, npm_config_update_notifier: 'false' },
  });
  const printed: unknown = JSON.parse(stdout);
  // npm prints a list, or an object by package name, depending on its version.
  const [packed] = Object.values(printed as Record<string, { filename: string; files: { path: string }[] }>);
  if (packed === undefined) throw new Error(`npm pack printed ${stdout}`);
  tarball = path.join(folder, path.basename(packed.filename));
  packedFiles = packed.files.map((file) => file.path);
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.kill();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Creates an empty project, and installs the tarball and these dependencies of the workspace in it. */
async function createProject(name: string, dependencies: readonly string[]): Promise<string> {
  const project = path.join(folder, name);
  const installed = path.join(project, 'node_modules', '@messagebox', 'brc103');
  await mkdir(installed, { recursive: true });
  await writeFile(path.join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
  for (const dependency of dependencies) {
    const link = path.join(project, 'node_modules', dependency);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(await findDependency(dependency), link);
  }
  return project;
}

async function findDependency(name: string): Promise<string> {
  for (const base of [root, path.join(root, '..', '..')]) {
    const candidate = path.join(base, 'node_modules', name);
    if (await readFile(path.join(candidate, 'package.json')).catch(() => undefined)) return candidate;
  }
  throw new Error(`${name} is not installed in the workspace`);
}

/** The TypeScript example below a heading of the README. It contains no types, so it also runs as JavaScript. */
async function readExample(heading: string): Promise<string> {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8');
  const example = new RegExp(`^## ${heading}$[^]*?^\`\`\`ts$([^]*?)^\`\`\`$`, 'm').exec(readme)?.[1];
  if (example === undefined) throw new Error(`The README has no example for ${heading}`);
  return example;
}

/** Type checks one file, and with it the declarations of the package. */
async function typeCheck(project: string, source: string): Promise<string> {
  await writeFile(path.join(project, 'consumer.ts'), source);
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext', '--types', 'node'];
  const { stdout } = await run(process.execPath, [tsc, ...options, 'consumer.ts'], { cwd: project }).catch(
    (error: { stdout: string }) => error,
  );
  return stdout;
}

/** Runs an example of the README as a program. */
async function startExample(project: string, heading: string): Promise<string> {
  const port = await findFreePort();
  await writeFile(path.join(project, 'server.mjs'), await readExample(heading));
  const env = { ...process.env, SERVER_PRIVATE_KEY, PORT: String(port) };
  servers.push(spawn(process.execPath, ['server.mjs'], { cwd: project, env, stdio: ['ignore', 'ignore', 'inherit'] }));
  const url = `http://127.0.0.1:${port}`;
  await waitUntil('the server listens', () =>
    fetch(url).then(
      () => true,
      () => false,
    ),
  );
  return url;
}

test('the package contains its entry points, documents and license, and neither tests nor build state', async () => {
  expect(packedFiles).toEqual(
    expect.arrayContaining([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
      ...['index', 'express', 'socket-io'].flatMap((name) => [
        `dist/${name}.js`,
        `dist/${name}.d.ts`,
        `src/${name}.ts`,
      ]),
    ]),
  );
  expect(packedFiles.filter((file) => !/^(dist|src)\//.test(file)).sort()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
  ]);
  expect(packedFiles).not.toContain('dist/.tsbuildinfo');
});

test('the manifest allows publishing to the public registry with provenance', async () => {
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  expect(manifest).not.toHaveProperty('private');
  expect(manifest).toMatchObject({
    license: 'SEE LICENSE IN LICENSE',
    publishConfig: { access: 'public', provenance: true },
    repository: { type: 'git', directory: 'packages/brc103' },
    peerDependenciesMeta: { express: { optional: true }, 'socket.io': { optional: true } },
  });
});

test('the core loads and type checks without Express and socket.io', async () => {
  const project = await createProject('core', DEPENDENCIES);
  const source = `
    import { AuthError, type Authenticator, type ClientNonceStore, createAuthenticator, loadCurve } from '@messagebox/brc103';
    export const authenticator: Authenticator = createAuthenticator({ privateKey: new Uint8Array(32).fill(7), curve: loadCurve() });
    export const nonce: string = authenticator.mintSession(authenticator.identityKey).nonce;
    export const isAuthError = (error: unknown): error is AuthError => error instanceof AuthError;
    export type Find = ClientNonceStore['find'];
    // @ts-expect-error a private key is bytes
    createAuthenticator({ privateKey: 'hex', curve: loadCurve() });
  `;
  expect(await typeCheck(project, source)).toBe('');
  const program = `
    import { createAuthenticator, loadCurve } from '@messagebox/brc103';
    const privateKey = Buffer.from('${SERVER_PRIVATE_KEY}', 'hex');
    console.log(createAuthenticator({ privateKey, curve: loadCurve() }).identityKey);
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: project });
  expect(stdout.trim()).toBe(new PrivateKey(SERVER_PRIVATE_KEY, 16).toPublicKey().toString());
});

test('the examples of the README type check with the types of Express and socket.io', async () => {
  const project = await createProject('types', [...DEPENDENCIES, ...TRANSPORTS]);
  expect(await typeCheck(project, await readExample('Express'))).toBe('');
  expect(await typeCheck(project, await readExample('socket.io'))).toBe('');
});

test('an Express server with the installed package answers a request of AuthFetch', async () => {
  const project = await createProject('express', [...DEPENDENCIES, 'express']);
  const url = await startExample(project, 'Express');
  const key = PrivateKey.fromRandom();
  const client = new AuthFetch(new ProtoWallet(key) as unknown as WalletInterface);
  const response = await client.fetch(`${url}/notes`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'hello',
  });
  // AuthFetch has verified the signature of the response, or it would have rejected.
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ from: key.toPublicKey().toString(), bytes: 5 });
  expect((await fetch(`${url}/notes`, { method: 'POST' })).status).toBe(401);
});

test('a socket.io server with the installed package answers an event of AuthSocketClient', async () => {
  const project = await createProject('socket-io', [...DEPENDENCIES, 'socket.io']);
  const url = await startExample(project, 'socket.io');
  const key = PrivateKey.fromRandom();
  const client = AuthSocketClient(url, { wallet: new ProtoWallet(key) as unknown as WalletInterface });
  try {
    const received = (name: string) => new Promise((resolve) => client.on(name, resolve));
    const [done, news] = [received('done'), received('news')];
    client.emit('join', 'today');
    expect(await done).toEqual({ eventName: 'join', sockets: 1 });
    expect(await news).toEqual({ joined: key.toPublicKey().toString() });
  } finally {
    client.disconnect();
  }
});
