import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PrivateKey } from '@bsv/sdk';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';

const script = resolve(import.meta.dirname, '..', '..', 'deploy', 'image', 'make-key.mjs');

describe('the identity of a compose project', () => {
  const folder = createTemporaryFolder();
  afterAll(() => folder.remove());
  const file = join(folder.path, '.env');
  const makeKey = (env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout } = spawnSync(process.execPath, [script], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout };
  };

  test('is not made when a key is given', () => {
    expect(makeKey({ SERVER_PRIVATE_KEY: '11'.repeat(32) })).toEqual({
      status: 0,
      stdout: 'SERVER_PRIVATE_KEY is given.\n',
    });
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  test('is shown once, with the way to back it up and without the key, and is never replaced', () => {
    const { status, stdout } = makeKey();
    const text = readFileSync(file, 'utf8');
    const [, key = ''] = /^SERVER_PRIVATE_KEY=([0-9a-f]{64})\n$/.exec(text) ?? [];
    expect(status).toBe(0);
    expect(stdout).toContain(`A server identity was made: ${PrivateKey.fromHex(key).toPublicKey().toString()}\n`);
    expect(stdout).toContain('(umask 077; docker compose run --rm --no-deps -T identity cat .env > identity.env)');
    expect(stdout).not.toContain(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    expect(makeKey()).toEqual({ status: 0, stdout: 'The server identity of an earlier start is used.\n' });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
