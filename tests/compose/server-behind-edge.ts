import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '@messagebox/test-kit/ports';
import { startServer as start, type TestServer } from '../bad-input/server.ts';

export * from '../bad-input/server.ts';

const run = promisify(execFile);
const edgeConfig = resolve(import.meta.dirname, '..', '..', 'deploy', 'edge', 'nginx.conf');

/** The server of the bad-input tests, in this process as ever, with an edge of the compose project in front of it. */
export async function startServer(env: Record<string, string> = {}): Promise<TestServer> {
  const server = await start({ TRUST_PROXY: '1', ...env });
  const port = await findFreePort();
  const folder = mkdtempSync(join(tmpdir(), 'messagebox-edge-'));
  const file = join(folder, 'nginx.conf');
  const config = readFileSync(edgeConfig, 'utf8')
    .replace('listen 8080 ', `listen 127.0.0.1:${port} `)
    .replace('listen 127.0.0.1:8081', `listen unix:/tmp/health.sock`)
    .replaceAll(/http:\/\/(api|realtime|overlay):8080/g, server.url);
  writeFileSync(file, config, { mode: 0o644 });
  const mount = `${file}:/etc/nginx/nginx.conf:ro`;
  const hardened = ['--read-only', '--tmpfs', '/tmp', '--user', '101:101', '--cap-drop', 'ALL'];
  const { stdout } = await run('docker', [
    'run',
    '--detach',
    '--rm',
    '--network',
    'host',
    ...hardened,
    '--volume',
    mount,
    'nginx:1.27-alpine',
    'nginx',
  ]);
  const container = stdout.trim();
  await isReachable(port);
  return {
    ...server,
    url: `http://127.0.0.1:${port}`,
    port,
    // Another process reads these while it runs.
    openSockets: () => server.openSockets(),
    async close() {
      await run('docker', ['kill', container]);
      rmSync(folder, { recursive: true });
      await server.close();
    },
  };
}

async function isReachable(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await fetch(`http://127.0.0.1:${port}/health/live`);
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
