// The packages of an image, as they are installed here.
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inRoot } from './workspace.mjs';

/** What images do not contain of a package (see deploy/build/install-service.sh). */
const NOT_IN_IMAGES = /\.(?:ts|map|md|c|cc|cpp|h|hpp|gypi?|tar\.gz)$/;

/**
 * Follows the links that pnpm has made.
 *
 * @param {import('./production-closure.mjs').Closure} closure
 * @returns {Map<string, string>} the folder of each package by its key; what is not for this platform is missing
 */
export function findInstalledPackages({ members, packages }) {
  /** @type {Map<string, string>} */
  const folders = new Map();
  for (const [member, links] of members) follow(inRoot(member, 'node_modules'), links);
  return folders;

  /** @param {string} nodeModules @param {readonly import('./production-closure.mjs').Link[]} links */
  function follow(nodeModules, links) {
    for (const link of links) {
      if (!('package' in link) || folders.has(link.package)) continue;
      const path = join(nodeModules, link.name);
      if (!existsSync(path)) continue;
      const folder = realpathSync(path);
      folders.set(link.package, folder);
      follow(
        link.name.includes('/') ? dirname(dirname(folder)) : dirname(folder),
        packages.get(link.package)?.links ?? [],
      );
    }
  }
}

/** @param {string} folder @returns {number} bytes of what an image contains of it */
export function measurePackage(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += entry.name === 'node_modules' ? 0 : measurePackage(path);
    else if (entry.isFile() && !NOT_IN_IMAGES.test(entry.name)) bytes += statSync(path).size;
  }
  return bytes;
}
