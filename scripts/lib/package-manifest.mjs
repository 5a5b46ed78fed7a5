// The package.json of the npm package `messagebox`.
import { BUNDLED } from './bundle-package.mjs';
import { readJson } from './workspace.mjs';

/** Fields that are the same in the workspace and in the package. */
const FIELDS = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'repository',
  'type',
  'engines',
  'bin',
  'exports',
];

/**
 * Derives the manifest of the package: the dependencies of all bundled members, in the exact versions that are tested here.
 *
 * @param {{ members: readonly string[], imported: readonly string[] }} bundle
 * @returns {Record<string, unknown>}
 * @throws {Error} when a version is not exact, two members name different ones, or the bundle imports what none declares
 */
export function createPackageManifest({ members, imported }) {
  const own = readJson('packages', 'messagebox', 'package.json');
  const dependencies = mergeDependencies(members.map((member) => readJson(member, 'package.json').dependencies ?? {}));
  const undeclared = imported.filter((name) => !(name in dependencies));
  if (undeclared.length > 0) throw new Error(`No bundled member declares ${undeclared.join(', ')}.`);
  return { ...Object.fromEntries(FIELDS.map((field) => [field, own[field]])), dependencies };
}

/**
 * @param {readonly Record<string, string>[]} manifests
 * @returns {Record<string, string>} by name, in alphabetical order
 */
function mergeDependencies(manifests) {
  /** @type {Map<string, string>} */
  const merged = new Map();
  for (const [name, version] of manifests.flatMap((dependencies) => Object.entries(dependencies))) {
    if (version.startsWith('workspace:') || BUNDLED.includes(name)) continue;
    if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`The version of ${name} is not exact: ${version}.`);
    if ((merged.get(name) ?? version) !== version) throw new Error(`There are two versions of ${name}.`);
    merged.set(name, version);
  }
  return Object.fromEntries([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}
