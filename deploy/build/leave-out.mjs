// For install-service.sh, in the folder of the workspace: `node leave-out.mjs api` removes the packages that left-out.json
// names for that image, and then each package that nothing requires any more.
import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';

const service = process.argv[2] ?? '';
/** @type {{ matches: string, images: string[] }[]} */
const rules = JSON.parse(readFileSync(new URL('left-out.json', import.meta.url), 'utf8'));
const patterns = rules
  .filter(({ images }) => images.includes(service))
  .map(({ matches }) => new RegExp(`^(?:${matches})$`));
if (patterns.length === 0) throw new Error(`left-out.json names no image ${service}.`);

/** pnpm keeps each package in a folder of its own, with links to the packages that it requires beside it. */
const STORE = join(process.cwd(), 'node_modules', '.pnpm');

/** The folders in STORE that something leads to. @type {Set<string>} */
const needed = new Set();
for (const parent of ['packages', 'services']) {
  for (const name of readdirSync(parent)) follow(join(parent, name, 'node_modules'));
}
for (const name of readdirSync(STORE)) {
  // `node_modules` has links for packages that use what they don't declare, and `lock.yaml` is pnpm's.
  if (name !== 'node_modules' && lstatSync(join(STORE, name)).isDirectory() && !needed.has(name)) {
    rmSync(join(STORE, name), { recursive: true });
  }
}

/** @param {string} folder a folder node_modules */
function follow(folder) {
  for (const [name, path] of listPackages(folder)) {
    if (patterns.some((pattern) => pattern.test(name))) {
      rmSync(path, { recursive: true });
      continue;
    }
    const target = realpathSync(path);
    if (!target.startsWith(STORE + sep)) continue;
    const [entry = ''] = target.slice(STORE.length + 1).split(sep);
    if (needed.has(entry)) continue;
    needed.add(entry);
    follow(join(STORE, entry, 'node_modules'));
  }
}

/** @param {string} folder @returns {[name: string, path: string][]} */
function listPackages(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@')
        ? readdirSync(join(folder, name)).map(
            (inner) => /** @type {[string, string]} */ ([`${name}/${inner}`, join(folder, name, inner)]),
          )
        : [/** @type {[string, string]} */ ([name, join(folder, name)])],
    );
}
