import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const script = path.join(__dirname, '../../deploy/build/leave-out.mjs');

describe('deploy/build/leave-out.mjs', () => {
  let folder: string;

  /** Makes a package as pnpm installs it, with links to what it requires. */
  function addPackage(name: string, requires: readonly string[] = []): void {
    const own = path.join(folder, 'node_modules/.pnpm', `${name.replace('/', '+')}@1.0.0`, 'node_modules');
    mkdirSync(path.join(own, name), { recursive: true });
    writeFileSync(path.join(own, name, 'package.json'), '{}');
    for (const required of requires) link(own, required);
  }

  function link(nodeModules: string, name: string): void {
    mkdirSync(path.dirname(path.join(nodeModules, name)), { recursive: true });
    symlinkSync(
      path.join(folder, 'node_modules/.pnpm', `${name.replace('/', '+')}@1.0.0`, 'node_modules', name),
      path.join(nodeModules, name),
    );
  }

  const isInstalled = (name: string) =>
    existsSync(path.join(folder, 'node_modules/.pnpm', `${name.replace('/', '+')}@1.0.0`));
  const run = (service: string) => spawnSync(process.execPath, [script, service], { cwd: folder, encoding: 'utf8' });

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'messagebox-leave-out-'));
    addPackage('better-sqlite3', ['bindings', 'prebuild-install']);
    addPackage('bindings');
    addPackage('prebuild-install', ['tar-fs', 'shared']);
    addPackage('tar-fs');
    addPackage('shared');
    addPackage('@types/node');
    addPackage('knex', ['shared', '@types/node']);
    addPackage('nobody-needs-this');
    mkdirSync(path.join(folder, 'services/api'), { recursive: true });
    mkdirSync(path.join(folder, 'packages/store/node_modules'), { recursive: true });
    for (const name of ['better-sqlite3', 'knex']) link(path.join(folder, 'packages/store/node_modules'), name);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('removes what the image leaves out, and what only that requires', () => {
    expect(run('api').stderr).toBe('');
    const gone = ['better-sqlite3', 'bindings', 'prebuild-install', 'tar-fs', '@types/node', 'nobody-needs-this'];
    expect(gone.filter(isInstalled)).toEqual([]);
    expect(['knex', 'shared'].filter(isInstalled)).toEqual(['knex', 'shared']);
    expect(existsSync(path.join(folder, 'packages/store/node_modules/knex/package.json'))).toBe(true);
    expect(existsSync(path.join(folder, 'packages/store/node_modules/better-sqlite3'))).toBe(false);
  });

  test('keeps SQLite in standalone, without what only its installation needs', () => {
    expect(run('standalone').stderr).toBe('');
    expect(['better-sqlite3', 'bindings', 'shared'].filter(isInstalled)).toHaveLength(3);
    expect(['prebuild-install', 'tar-fs'].filter(isInstalled)).toEqual([]);
  });

  test('refuses an image that left-out.json does not name, and removes nothing', () => {
    const { status, stderr } = run('nothing');
    expect(status).not.toBe(0);
    expect(stderr).toContain('left-out.json names no image nothing.');
    expect(isInstalled('nobody-needs-this')).toBe(true);
  });
});
