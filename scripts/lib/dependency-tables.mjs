// The tables of docs/dependencies.md.
import { findProductionClosure, readLeftOut, readLockFile, SERVICES } from './production-closure.mjs';
import { readJson, workspaceFolders } from './workspace.mjs';

const KINDS = /** @type {const} */ (['dependencies', 'peerDependencies', 'devDependencies']);
const BEGIN = '<!-- begin: written by scripts/docs.mjs -->';
const END = '<!-- end: written by scripts/docs.mjs -->';

/** @returns {Record<string, string>} why each direct dependency is needed */
export function readDependencyReasons() {
  return readJson('docs', 'dependency-reasons.json');
}

/** @returns {Map<string, import('./dependency-tables.mjs').DirectDependency>} by name, in alphabetical order */
export function findDirectDependencies() {
  /** @type {Map<string, { versions: Set<string>, production: Set<string>, development: Set<string> }>} */
  const found = new Map();
  for (const folder of workspaceFolders()) {
    const manifest = readJson(folder, 'package.json');
    const member = folder === '.' ? 'the root' : (folder.split('/').pop() ?? folder);
    // A private package that is in no image is for development, whatever its manifest calls it.
    const isShipped = /^(?:packages|services)\//.test(folder) && !/\/test-/.test(folder);
    for (const kind of KINDS) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
        if (String(version).startsWith('workspace:')) continue;
        const entry = found.get(name) ?? { versions: new Set(), production: new Set(), development: new Set() };
        if (kind !== 'peerDependencies') entry.versions.add(String(version).replace(/^npm:.*@/, ''));
        (isShipped && kind !== 'devDependencies' ? entry.production : entry.development).add(member);
        found.set(name, entry);
      }
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * @param {string} text of a document with the two markers
 * @returns {string} the document with the tables of today
 */
export function withDependencyTables(text) {
  const [before, rest = ''] = text.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}\n\n${renderTables()}\n\n${END}${after}`;
}

function renderTables() {
  const lock = readLockFile();
  const leftOut = readLeftOut();
  const reasons = readDependencyReasons();
  const direct = [...findDirectDependencies()];
  const services = SERVICES.map((service) => {
    const { members, packages } = findProductionClosure(lock, leftOut, service);
    const declared = new Set([...members.values()].flat().flatMap((link) => ('package' in link ? [link.package] : [])));
    const everything = findProductionClosure(lock, [], service).packages.size;
    return [service, members.size, packages.size, declared.size, everything - packages.size].join(' | ');
  });
  const row = (
    /** @type {string} */ name,
    /** @type {ReadonlySet<string>} */ versions,
    /** @type {ReadonlySet<string>} */ users,
  ) => `| \`${name}\` | ${[...versions].join(', ')} | ${[...users].sort().join(', ')} | ${reasons[name] ?? ''} |`;
  const inProduction = direct.filter(([, { production }]) => production.size > 0);
  return [
    '## Packages in each image',
    '',
    '| image | our own packages | other packages | of them required by ours | left out |',
    '| --- | --- | --- | --- | --- |',
    ...services.map((cells) => `| ${cells} |`),
    '',
    '## Left out of images',
    '',
    '| package | left out of | why |',
    '| --- | --- | --- |',
    ...leftOut.map(({ matches, images, because }) => `| \`${matches}\` | ${images.join(', ')} | ${because} |`),
    '',
    '## What runs in production',
    '',
    '| dependency | version | of | why |',
    '| --- | --- | --- | --- |',
    ...inProduction.map(([name, { versions, production }]) => row(name, versions, production)),
    '',
    '## What only development needs',
    '',
    '| dependency | version | of | why |',
    '| --- | --- | --- | --- |',
    ...direct
      .filter(([, { production }]) => production.size === 0)
      .map(([name, { versions, development }]) => row(name, versions, development)),
  ].join('\n');
}
