import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { type ManagedProcess, startProcess } from '@messagebox/test-support/managed-process';
import { type InstalledPackage, installPackage, run } from './support/installed-package.ts';

const root = resolve(import.meta.dirname, '..', '..');
const TIMEOUT_MS = 400_000;

let app: InstalledPackage;
beforeAll(async () => {
  app = await installPackage();
}, TIMEOUT_MS);
afterAll(() => app?.remove());

const inPackage = (...parts: string[]) => join(app.folder, 'node_modules/messagebox', ...parts);
const readManifest = () =>
  JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as Record<string, unknown> & {
    dependencies: Record<string, string>;
  };

/** Starts `npx messagebox start` in the folder of the app. @returns the process and the address in its log */
async function startServer(
  command = 'npx',
  args = ['messagebox', 'start'],
): Promise<{ npx: ManagedProcess; url: string }> {
  const npx = startProcess(command, args, {
    cwd: app.folder,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', HOST: '127.0.0.1' },
    isGroup: true,
  });
  const line = await npx.waitForLine((text) => text.includes('"msg":"listening"'), 60_000);
  return { npx, url: (JSON.parse(line) as { url: string }).url };
}

function createPerson(host: string): { key: string; client: MessageBoxClient } {
  const key = PrivateKey.fromRandom();
  const client = new MessageBoxClient({ host, walletClient: new CompletedProtoWallet(key), networkPreset: 'local' });
  return { key: key.toPublicKey().toString(), client };
}

describe('the tarball', () => {
  test('names exact versions of real packages, and nothing of the workspace', () => {
    const { dependencies, private: isPrivate, devDependencies, scripts } = readManifest();
    expect(Object.keys(dependencies).length).toBeGreaterThan(15);
    expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(Object.keys(dependencies).filter((name) => name.startsWith('@messagebox/'))).toEqual([]);
    expect([isPrivate, devDependencies, scripts]).toEqual([undefined, undefined, undefined]);
  });

  test('imports nothing of the workspace', () => {
    const modules = readdirSync(inPackage('dist')).filter((file) => file.endsWith('.js'));
    expect(modules.length).toBeGreaterThan(2);
    const imports = modules.flatMap((file) =>
      [
        ...readFileSync(inPackage('dist', file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*["'](@messagebox\/[^"']+)/g),
      ].map(([, name]) => `${file}: ${name}`),
    );
    expect(imports).toEqual([]);
  });

  test('installs neither the wallet toolbox nor its second express', () => {
    expect(existsSync(join(app.folder, 'node_modules/@bsv/sdk/package.json'))).toBe(true);
    for (const name of ['@bsv/wallet-toolbox', '@bsv/auth-express-middleware', 'hash-wasm', 'idb']) {
      expect([name, existsSync(join(app.folder, 'node_modules', name))]).toEqual([name, false]);
    }
  });

  test('has a readme, its license, and the licenses of the code that it contains', () => {
    expect(readFileSync(inPackage('README.md'), 'utf8')).toContain("import { startMessageBox } from 'messagebox'");
    expect(readFileSync(inPackage('LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
    const notices = readFileSync(inPackage('THIRD-PARTY-LICENSES.md'), 'utf8');
    expect(notices).toMatch(/## @bsv\/wallet-toolbox \d+\.\d+\.\d+\n\nOpen BSV License version 4/);
  });
});

describe('npx messagebox', () => {
  test('says its version', async () => {
    const output = await run('npx', ['messagebox', '--version'], { cwd: app.folder });
    expect(output.trim()).toBe(readManifest()['version']);
  });

  test(
    'runs a server that takes and gives a message, serves the console and the description of its API, and ends with Ctrl-C',
    async () => {
      const { npx, url } = await startServer();
      try {
        const [alice, bob] = [createPerson(url), createPerson(url)];
        await alice.client.sendMessage({ recipient: bob.key, messageBox: 'inbox', body: 'hello' }, url);
        const messages = await bob.client.listMessages({ messageBox: 'inbox', host: url });
        expect(messages).toMatchObject([{ sender: alice.key, body: 'hello' }]);
        const large = 'x'.repeat(500_000);
        await alice.client.sendMessage({ recipient: bob.key, messageBox: 'large', body: large }, url);
        const [received] = await bob.client.listMessages({ messageBox: 'large', host: url });
        expect(received?.body === large).toBe(true);
        const page = await fetch(`${url}/console/`);
        expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
        const files = ['docs', 'openapi.json', 'docs/swagger-ui.css', 'docs/swagger-ui-bundle.js'];
        const answers = await Promise.all(files.map((file) => fetch(`${url}/${file}`)));
        expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
        await npx.waitForLine((line) => line.includes('MessageBox listens on'));
        npx.signal('SIGINT');
        // npx itself reports the signal; its output ends when the server has ended as well.
        await npx.closed;
        expect(npx.lines.join('\n')).not.toContain('could not close cleanly');
        expect(npx.lines.join('\n')).not.toContain('npm run demo');
        // The thread that reads large bodies is a file of its own. Without it they are read nevertheless, with a warning.
        expect(npx.lines.join('\n')).not.toContain("SQLite's thread ended");
        expect(existsSync(join(app.folder, 'data/messagebox.sqlite'))).toBe(true);
      } finally {
        await npx.terminate('SIGKILL');
      }
    },
    TIMEOUT_MS,
  );

  test(
    'takes payments with the part of the toolbox that it contains',
    async () => {
      const { npx: server, url } = await startServer(join(app.folder, 'node_modules/.bin/messagebox'), ['start']);
      try {
        const output = await run(process.execPath, ['demo/demo.mjs', '--host', url], { cwd: root });
        expect(output).toContain('Dave received 10');
        expect(output).toContain('Everything arrived and was acknowledged');
      } finally {
        expect(await server.terminate('SIGINT')).toEqual({ code: 0, signal: null });
      }
    },
    TIMEOUT_MS,
  );
});

describe('startMessageBox of the package', () => {
  test(
    'starts in a program of the app, prints nothing, and lets the program end',
    async () => {
      writeFileSync(
        join(app.folder, 'embed.js'),
        `import { startMessageBox } from 'messagebox';
       const servers = await Promise.all([startMessageBox(), startMessageBox()]);
       const answers = await Promise.all(servers.map(({ url }) => fetch(url + '/health/ready')));
       console.log(...answers.map(({ status }) => status));
       await Promise.all(servers.map((server) => server.close()));\n`,
      );
      expect(await run(process.execPath, ['embed.js'], { cwd: app.folder })).toBe('200 200');
    },
    TIMEOUT_MS,
  );

  const tsc = (folder: string) =>
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { cwd: folder });

  /** A project that is as strict as TypeScript can be, and checks the declarations of the package as well. */
  function writeProject(name: string, source: string): string {
    const folder = join(app.folder, name);
    mkdirSync(folder);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      module: 'nodenext',
      moduleResolution: 'nodenext',
      target: 'es2022',
      types: [],
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    writeFileSync(join(folder, 'main.ts'), source);
    return folder;
  }

  test('has types that a strict project accepts, without declarations of Node', async () => {
    const folder = writeProject(
      'typed',
      `import { type MessageBoxOptions, type MessageBoxServer, startMessageBox } from 'messagebox';
       const options: MessageBoxOptions = { port: 0, logLevel: 'warn', env: { RETENTION_DAYS: '30', PORT: undefined } };
       const server: MessageBoxServer = await startMessageBox(options);
       export const url: string = server.url;
       export const identityKey: string = server.identityKey;
       await server.close();
       // A type that is any would accept this.
       // @ts-expect-error
       export const port: number = server.url;\n`,
    );
    expect(await tsc(folder)).toBe('');
  });

  test.each([
    ['a port that is a text', "await startMessageBox({ port: '8080' });"],
    ['an option that there is not', 'await startMessageBox({ prot: 8080 });'],
    ['a log level that there is not', "await startMessageBox({ logLevel: 'loud' });"],
  ])('has types that refuse %s', async (title, line) => {
    const folder = writeProject(title.replaceAll(' ', '-'), `import { startMessageBox } from 'messagebox';\n${line}\n`);
    await expect(tsc(folder)).rejects.toThrow('error TS2');
  });
});
