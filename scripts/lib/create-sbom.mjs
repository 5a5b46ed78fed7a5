// The software bill of materials of an image, in the form of CycloneDX.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import { inRoot } from './workspace.mjs';

/**
 * Describes what a service is made of. The same closure always makes the same text: there is no time in it.
 *
 * @param {string} service
 * @param {import('./production-closure.mjs').Closure} closure
 * @param {ReadonlyMap<string, string>} folders of installed packages, for their licenses
 * @returns {string} JSON of CycloneDX 1.6
 */
export function createSbom(service, { members, packages }, folders) {
  /** @type {Map<string, Models.Component>} by folder or key */
  const components = new Map();
  for (const member of members.keys()) {
    const { name, version, license } = readManifest(inRoot(member));
    const type = member === `services/${service}` ? Enums.ComponentType.Application : Enums.ComponentType.Library;
    components.set(member, createComponent(type, name, version ?? '0.0.0', license));
  }
  for (const [key, { name, version, integrity }] of packages) {
    const folder = folders.get(key);
    const license = folder === undefined ? undefined : readManifest(folder).license;
    const component = createComponent(Enums.ComponentType.Library, name, version, license, key);
    component.purl = toPackageUrl(name, version);
    const [algorithm, digest] = toHash(integrity);
    component.hashes.set(algorithm, digest);
    components.set(key, component);
  }
  for (const [id, links] of [
    ...members,
    ...[...packages].map(([key, { links }]) => /** @type {const} */ ([key, links])),
  ]) {
    for (const link of links) {
      const dependency = components.get('member' in link ? link.member : link.package);
      if (dependency !== undefined) components.get(id)?.dependencies.add(dependency.bomRef);
    }
  }
  const bom = new Models.Bom();
  bom.metadata.component = components.get(`services/${service}`);
  components.delete(`services/${service}`);
  for (const component of components.values()) bom.components.add(component);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

/**
 * @param {Enums.ComponentType} type
 * @param {string} fullName with the scope
 * @param {string} version
 * @param {unknown} license
 * @param {string} bomRef
 */
function createComponent(type, fullName, version, license, bomRef = `${fullName}@${version}`) {
  const [group, name] = fullName.startsWith('@') ? fullName.split('/') : [undefined, fullName];
  const component = new Models.Component(type, name ?? fullName, { group, version, bomRef });
  if (typeof license === 'string' && license !== '') component.licenses.add(toLicense(license));
  return component;
}

/** @param {string} license as it is in package.json */
function toLicense(license) {
  if (SPDX.isSupportedSpdxId(license)) return new Models.SpdxLicense(license);
  return / (?:AND|OR|WITH) /.test(license) ? new Models.LicenseExpression(license) : new Models.NamedLicense(license);
}

/** @param {string} name @param {string} version @returns {string} https://github.com/package-url/purl-spec */
function toPackageUrl(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;
}

/** @param {string} integrity in the form of Subresource Integrity @returns {[Enums.HashAlgorithm, string]} */
function toHash(integrity) {
  const [algorithm = '', digest = ''] = integrity.split('-');
  const known = {
    sha1: Enums.HashAlgorithm['SHA-1'],
    sha256: Enums.HashAlgorithm['SHA-256'],
    sha512: Enums.HashAlgorithm['SHA-512'],
  };
  const name = known[/** @type {keyof typeof known} */ (algorithm)];
  if (name === undefined) throw new Error(`pnpm-lock.yaml has a digest of an unknown kind: ${algorithm}`);
  return [name, Buffer.from(digest, 'base64').toString('hex')];
}

/** @param {string} folder @returns {{ name: string, version?: string, license?: unknown }} */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
