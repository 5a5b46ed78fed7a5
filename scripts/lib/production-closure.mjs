// What each image consists of: the production dependencies of its service as the lock file has them, without what the image
// leaves out.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { inRoot, readJson } from './workspace.mjs';

/** The services that have an image. */
export const SERVICES = /** @type {const} */ (['api', 'realtime', 'overlay', 'standalone']);

/** What images are built for. */
const PLATFORM = { os: 'linux', cpu: 'x64', libc: 'glibc' };

/** @returns {import('./production-closure.mjs').LockFile} */
export function readLockFile() {
  return parse(readFileSync(inRoot('pnpm-lock.yaml'), 'utf8'));
}

/** @returns {import('./production-closure.mjs').LeftOut} what images leave out of what is installed */
export function readLeftOut() {
  return readJson('deploy', 'build', 'left-out.json');
}

/**
 * Follows the production dependencies of a service.
 *
 * @param {import('./production-closure.mjs').LockFile} lock
 * @param {import('./production-closure.mjs').LeftOut} leftOut
 * @param {string} service
 * @returns {import('./production-closure.mjs').Closure}
 * @throws {Error} when the lock file has no such service, or names a package that it does not describe
 */
export function findProductionClosure(lock, leftOut, service) {
  const root = `services/${service}`;
  if (lock.importers[root] === undefined) throw new Error(`pnpm-lock.yaml has no ${root}.`);
  const isLeftOut = (/** @type {string} */ name) =>
    leftOut.some(({ matches, images }) => images.includes(service) && new RegExp(`^(?:${matches})$`).test(name));
  /** @type {Map<string, import('./production-closure.mjs').Link[]>} */
  const members = new Map();
  /** @type {Map<string, import('./production-closure.mjs').ProductionPackage>} */
  const packages = new Map();
  visitMember(root);
  return { members, packages };

  /** @param {string} folder */
  function visitMember(folder) {
    if (members.has(folder)) return;
    const { dependencies = {}, optionalDependencies = {} } = lock.importers[folder];
    const links = Object.entries({ ...dependencies, ...optionalDependencies })
      .filter(([name]) => !isLeftOut(name))
      .map(([name, { version }]) => toLink(folder, name, version));
    members.set(folder, links);
    visit(links);
  }

  /** @param {string} key as the snapshots of the lock file have it, with the peers in parentheses */
  function visitPackage(key) {
    if (packages.has(key)) return;
    const snapshot = lock.snapshots[key];
    const id = key.split('(')[0];
    const { resolution } = lock.packages[id] ?? {};
    if (snapshot === undefined || resolution === undefined) throw new Error(`pnpm-lock.yaml does not describe ${key}.`);
    const required = Object.entries(snapshot.dependencies ?? {});
    const optional = Object.entries(snapshot.optionalDependencies ?? {}).filter(([name, version]) =>
      isForPlatform(lock.packages[toKey(name, version).split('(')[0]]),
    );
    const links = [...required, ...optional]
      .filter(([name]) => !isLeftOut(name))
      .map(([name, version]) => ({ name, package: toKey(name, version) }));
    const at = id.lastIndexOf('@');
    packages.set(key, { name: id.slice(0, at), version: id.slice(at + 1), integrity: resolution.integrity, links });
    visit(links);
  }

  /** @param {readonly import('./production-closure.mjs').Link[]} links */
  function visit(links) {
    for (const link of links) {
      if ('member' in link) visitMember(link.member);
      else visitPackage(link.package);
    }
  }
}

/** @param {string} folder @param {string} name @param {string} version */
function toLink(folder, name, version) {
  if (!version.startsWith('link:')) return { name, package: toKey(name, version) };
  const parts = folder.split('/');
  for (const part of version.slice('link:'.length).split('/')) {
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return { name, member: parts.join('/') };
}

/** An alias has the whole id as its version. @param {string} name @param {string} version */
function toKey(name, version) {
  const [id = ''] = version.split('(');
  return id.lastIndexOf('@') > 0 ? version : `${name}@${version}`;
}

/** @param {import('./production-closure.mjs').LockedPackage | undefined} locked */
function isForPlatform(locked) {
  const fits = (/** @type {readonly string[] | undefined} */ allowed, /** @type {string} */ value) =>
    allowed === undefined || allowed.includes(value);
  return (
    locked !== undefined &&
    fits(locked.os, PLATFORM.os) &&
    fits(locked.cpu, PLATFORM.cpu) &&
    fits(locked.libc, PLATFORM.libc)
  );
}
