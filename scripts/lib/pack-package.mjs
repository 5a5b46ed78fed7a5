// Puts together the files of the npm package `messagebox`, and packs them.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePackage } from './bundle-package.mjs';
import { createPackageManifest } from './package-manifest.mjs';
import { inRoot } from './workspace.mjs';

/** Files that are served as they are: the folder in the workspace, and where the code looks for it in the package. */
const STATIC = [
  { from: 'packages/console/dist/app', to: 'dist/app' },
  { from: 'packages/api-description/dist/assets', to: 'dist/assets' },
];

/**
 * Packs the package from the compiled workspace.
 *
 * @param {string} folder for the tarball
 * @returns {Promise<{ file: string, bytes: number, unpackedBytes: number, files: number }>}
 * @throws {Error} when files are missing, and with what npm says when it can not pack
 */
export async function packPackage(folder) {
  const stage = mkdtempSync(join(tmpdir(), 'messagebox-pack-'));
  try {
    const dist = join(stage, 'dist');
    mkdirSync(dist);
    const bundle = await bundlePackage(dist);
    copyDeclarations(dist);
    for (const { from, to } of STATIC) {
      cpSync(inRoot(from), join(stage, to), { recursive: true });
    }
    cpSync(inRoot('packages', 'messagebox', 'bin'), join(stage, 'bin'), { recursive: true });
    cpSync(inRoot('packages', 'messagebox', 'README.md'), join(stage, 'README.md'));
    cpSync(inRoot('LICENSE'), join(stage, 'LICENSE'));
    writeFileSync(join(stage, 'THIRD-PARTY-LICENSES.md'), collectNotices(bundle.notices));
    writeFileSync(join(stage, 'package.json'), `${JSON.stringify(createPackageManifest(bundle), null, 2)}\n`);
    return runNpmPack(stage, folder);
  } finally {
    rmSync(stage, { recursive: true });
  }
}

/**
 * The declarations of the public interface. They import nothing but each other, so nothing has to be rolled up; a test checks
 * them in an empty project.
 *
 * @param {string} dist
 */
function copyDeclarations(dist) {
  const compiled = inRoot('packages', 'messagebox', 'dist');
  for (const name of ['index.d.ts', 'start-message-box.d.ts', 'options.d.ts']) {
    const text = readFileSync(join(compiled, name), 'utf8')
      .replace(/^\/\/# sourceMappingURL=.*$/m, '')
      .trimEnd();
    writeFileSync(join(dist, name), `${text}\n`);
  }
}

/**
 * @param {readonly string[]} folders of packages whose files are in the bundle
 * @returns {string} their names, versions and licenses
 */
function collectNotices(folders) {
  const parts = folders.map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (license === undefined) throw new Error(`${name} has no license that could be passed on.`);
    return `## ${name} ${version}\n\n${readFileSync(join(folder, license), 'utf8').replace(/^#+ /gm, '').trim()}`;
  });
  return ['# Licenses of bundled code', 'Parts of these packages are in `dist/`.', ...parts, ''].join('\n\n');
}

/**
 * @param {string} stage
 * @param {string} folder
 */
function runNpmPack(stage, folder) {
  const cli = process.env.npm_execpath ?? '';
  const [command, first] = /npm-cli\.js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []];
  const args = [...first, 'pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`];
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: stage, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm could not pack: ${stderr}`);
  const [packed] = Object.values(JSON.parse(stdout));
  return {
    file: join(folder, packed.filename),
    bytes: packed.size,
    unpackedBytes: packed.unpackedSize,
    files: packed.entryCount,
  };
}
