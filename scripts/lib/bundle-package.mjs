// The code of the npm package `messagebox`: everything of the workspace in few ES modules.
import { isBuiltin } from 'node:module';
import { isAbsolute, join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';
import { inRoot, root } from './workspace.mjs';

/**
 * What is started or imported by the name of its file. The script process and SQLite's thread are files of their own, beside what
 * starts them.
 */
const ENTRIES = {
  index: 'packages/messagebox/dist/index.js',
  cli: 'packages/messagebox/dist/cli.js',
  'run-scripts': 'packages/transactions/dist/verify/run-scripts.js',
  'sqlite-worker': 'packages/store/dist/client/sqlite-worker.js',
};

/** A module that is imported at once elsewhere is not loaded later, which costs nothing. */
const HARMLESS = ['INEFFECTIVE_DYNAMIC_IMPORT'];

/**
 * Packages of others whose files are bundled, so that they are not installed: only a part of the wallet toolbox is used, and
 * installing it brings a second express and 30 packages more that nothing loads. Its license allows copies with its notice.
 */
export const BUNDLED = ['@bsv/wallet-toolbox'];

/**
 * Bundles the compiled workspace.
 *
 * @param {string} folder for the modules
 * @returns {Promise<{ members: string[], imported: string[], notices: string[] }>} the members of the workspace that have code
 *   in the bundle, as folders; the packages that the bundle imports; and the folders of the packages whose files it contains
 */
export async function bundlePackage(folder) {
  /** @type {Set<string>} */
  const imported = new Set();
  const bundle = await rolldown({
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, inRoot(file)])),
    platform: 'node',
    external: (id) => {
      if (id.startsWith('.') || isAbsolute(id) || id.startsWith('\0')) return false;
      const name = toPackageName(id);
      if (isBuiltin(id)) return true;
      if (name.startsWith('@messagebox/') || BUNDLED.includes(name)) return false;
      imported.add(name);
      return true;
    },
    onLog: (level, log, report) => {
      if (level === 'warn' && !HARMLESS.includes(log.code ?? '')) throw new Error(`The bundler warns: ${log.message}`);
      if (level !== 'warn') report(level, log);
    },
  });
  try {
    const { output } = await bundle.write({
      dir: folder,
      format: 'es',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      codeSplitting: { groups: [{ name: 'toolbox', test: /node_modules[\\/]@bsv[\\/]wallet-toolbox/ }] },
    });
    const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
    return {
      members: findMembers(modules),
      imported: [...imported].sort(),
      notices: findBundledPackages(modules),
    };
  } finally {
    await bundle.close();
  }
}

/** @param {string} id such as `@bsv/sdk/primitives` @returns {string} such as `@bsv/sdk` */
function toPackageName(id) {
  return id
    .split('/')
    .slice(0, id.startsWith('@') ? 2 : 1)
    .join('/');
}

/** @param {readonly string[]} modules absolute files @returns {string[]} */
function findMembers(modules) {
  const own = modules
    .filter((file) => file.startsWith(root + sep) && !file.includes(`${sep}node_modules${sep}`))
    .map((file) => relative(root, file).split(sep).slice(0, 2).join('/'));
  return [...new Set(own)].sort();
}

/** @param {readonly string[]} modules absolute files @returns {string[]} folders */
function findBundledPackages(modules) {
  const folders = modules.flatMap((file) => {
    const at = file.lastIndexOf(`${sep}node_modules${sep}`);
    if (at < 0) return [];
    const inside = file.slice(at + `${sep}node_modules${sep}`.length);
    return [join(file.slice(0, at), 'node_modules', toPackageName(inside.split(sep).join('/')))];
  });
  return [...new Set(folders)].sort();
}
