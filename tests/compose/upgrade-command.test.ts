import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');

function upgrade(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/compose-upgrade.mjs'), ...args], {
    encoding: 'utf8',
    timeout: 60_000,
    env,
  });
  return { status, stdout, stderr };
}

describe('npm run upgrade:compose', () => {
  test.each([
    [['--timeout', 'soon'], '--timeout must be a number of seconds'],
    [['--timeout', '0'], '--timeout must be a number of seconds'],
    [['--to', ''], '--to must be a tag'],
    [['--to', 'api:1.0'], '--to must be a tag'],
    [['--version', '1.0'], "Unknown option '--version'"],
    [['1.0'], "Unexpected argument '1.0'"],
  ])('refuses %j, and shows how it is called', (args, said) => {
    const { status, stdout, stderr } = upgrade(args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr).toContain('npm run upgrade:compose -- [--to TAG]');
  });

  test('says that Docker is missing', () => {
    const { status, stderr } = upgrade(['--to', '1.0'], { PATH: join(root, 'k8s') });
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining("docker can't be run") });
  });
});
