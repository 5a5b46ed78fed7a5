import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createTemporaryFolder,
  type ManagedProcess,
  startProcess,
  toExitCode,
} from '@messagebox/test-support/managed-process';
import { findFreePort } from '../../packages/test-kit/src/ports.ts';
import { type Block, isLeftOut, readSections, root, toShellScript, UNTIL_STOPPED } from './getting-started-page.js';

/** A cold start compiles what has changed. */
const PATIENCE_MS = 240_000;

const sections = readSections();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The environment of somebody who reads the page: a home of their own, and localhost:8080 on a free port. */
async function prepareReader(): Promise<Record<string, string>> {
  const folder = createTemporaryFolder();
  closers.push(() => folder.remove());
  const bin = path.join(folder.path, 'bin');
  for (const name of ['bin', 'tmp', 'data']) mkdirSync(path.join(folder.path, name), { recursive: true });
  copyFileSync(path.join(__dirname, 'support/npm.mjs'), path.join(bin, 'npm'));
  chmodSync(path.join(bin, 'npm'), 0o755);
  const port = String(await findFreePort());
  return {
    PATH: `${bin}${path.delimiter}${process.env['PATH']}`,
    HOME: process.env['HOME'] ?? folder.path,
    TMPDIR: path.join(folder.path, 'tmp'),
    DATA_DIR: path.join(folder.path, 'data'),
    HOST: '127.0.0.1',
    PORT: port,
    REDIRECTED_PORT: port,
    PACKAGES_AT: path.join(root, 'tests/node_modules'),
  };
}

function startServer(blocks: readonly Block[], env: Record<string, string>): ManagedProcess {
  const block = blocks.find(({ note }) => note === UNTIL_STOPPED);
  // The shell becomes npm, so that npm gets the signal.
  const script = String(block?.text).replace(/^npm start$/m, 'exec npm start');
  const server = startProcess('sh', ['-euc', script], {
    cwd: root,
    env: { ...env, PATH: String(process.env['PATH']) },
  });
  closers.push(() => server.terminate('SIGTERM'));
  return server;
}

/** Executes all blocks that end by themselves. @returns the lines of their output */
async function execute(blocks: readonly Block[], env: Record<string, string>): Promise<readonly string[]> {
  const redirect = `--import ${pathToFileURL(path.join(__dirname, 'support/redirect-port.mjs')).href}`;
  const shell = startProcess('sh', ['-eu', '-c', toShellScript(blocks)], {
    cwd: root,
    env: { ...env, NODE_OPTIONS: redirect },
  });
  const code = toExitCode(await shell.exited);
  if (code !== 0) throw new Error(`the commands ended with ${code}:\n${shell.lines.join('\n')}`);
  return shell.lines;
}

/** The lines that a section promises, which its output has to have in this order. */
function expectPromised(blocks: readonly Block[], output: readonly string[]): void {
  const promised = blocks.filter(({ language }) => language === 'text').flatMap(({ text }) => text.trim().split('\n'));
  let at = 0;
  for (const line of promised) {
    const found = output.slice(at).findIndex((one) => one.includes(line));
    if (found === -1) throw new Error(`"${line}" is missing in:\n${output.join('\n')}`);
    at += found + 1;
  }
  expect(promised.length).toBeGreaterThan(0);
}

describe('docs/getting-started.md', () => {
  test('has these sections, and says of each block who executes it', () => {
    expect([...sections.keys()]).toEqual([
      'Try it',
      'Build an app on it',
      'Run it for others',
      'Move from another server',
    ]);
    const leftOut = [...sections.values()].flat().filter(isLeftOut);
    expect(leftOut.map(({ text }) => text.trim())).toEqual(['docker compose up --build', 'npm run migrate']);
  });

  test(
    'a newcomer can try it and build an app on it',
    async () => {
      const env = await prepareReader();
      const [tryIt = [], build = []] = [sections.get('Try it'), sections.get('Build an app on it')];
      await startServer(tryIt, env).waitForLine((line) => line.includes('"msg":"listening"'), PATIENCE_MS / 2);
      expectPromised(tryIt, await execute(tryIt, env));
      expectPromised(build, await execute(build, env));
    },
    PATIENCE_MS,
  );

  test(
    'an operator can run it for others',
    async () => {
      const env = await prepareReader();
      const server = startServer(sections.get('Run it for others') ?? [], env);
      await server.waitForLine((line) => line.includes('"msg":"listening"'), PATIENCE_MS / 2);
      const answer = await fetch(`http://127.0.0.1:${env['PORT']}/health/live`);
      expect(answer.status).toBe(200);
      // With NETWORK=main there is no play chain.
      const chain = await fetch(`http://127.0.0.1:${env['PORT']}/development/chain`, { method: 'POST' });
      expect(chain.status).not.toBe(200);
    },
    PATIENCE_MS,
  );
});
