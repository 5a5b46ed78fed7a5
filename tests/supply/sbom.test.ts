import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { createSbom } from '../../scripts/lib/create-sbom.mjs';
import { findInstalledPackages } from '../../scripts/lib/installed-packages.mjs';
import { findProductionClosure, readLeftOut, readLockFile, SERVICES } from '../../scripts/lib/production-closure.mjs';

interface Bom {
  readonly metadata: { readonly component: { readonly name: string } };
  readonly components: readonly {
    readonly name: string;
    readonly group?: string;
    readonly version: string;
    readonly 'bom-ref': string;
    readonly purl?: string;
    readonly licenses?: readonly unknown[];
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

const lock = readLockFile();
const create = (service: string): string => {
  const closure = findProductionClosure(lock, readLeftOut(), service);
  return createSbom(service, closure, findInstalledPackages(closure));
};
const read = (service: string) => JSON.parse(create(service)) as Bom;
const names = ({ components }: Bom) => components.map(({ group, name }) => (group ? `${group}/${name}` : name));

function compileSchema() {
  const library = path.dirname(createRequire(__filename).resolve('@cyclonedx/cyclonedx-library/package.json'));
  const schema = (name: string): object =>
    JSON.parse(readFileSync(path.join(library, 'res/schema', `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  // Addresses here are ASCII, for which these are the same.
  ajv.addFormat('iri-reference', { validate: (text: string) => /^[\x21-\x7e]*$/.test(text) });
  ajv.addFormat('idn-email', { validate: (text: string) => /^[^@\s]+@[^@\s]+$/.test(text) });
  ajv.addSchema(schema('spdx'), 'http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json');
  ajv.addSchema(schema('jsf-0.82'), 'http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json');
  return ajv.compile(schema('bom-1.6'));
}
const validate = compileSchema();

test('the schema refuses a component without a name', () => {
  expect(validate({ bomFormat: 'CycloneDX', specVersion: '1.6', components: [{ type: 'library' }] })).toBe(false);
});

describe.each(SERVICES)('the bill of materials of %s', (service) => {
  const bom = read(service);

  test('is valid by the schema of CycloneDX 1.6', () => {
    validate(bom);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('names the service, and all that its manifest requires, with version, digest and address', () => {
    expect(bom.metadata.component.name).toBe(service);
    const manifest = JSON.parse(
      readFileSync(path.join(__dirname, `../../services/${service}/package.json`), 'utf8'),
    ) as { dependencies: Record<string, string> };
    expect(names(bom)).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    const foreign = bom.components.filter(({ group }) => group !== '@messagebox');
    expect(foreign.length).toBeGreaterThan(100);
    for (const { group, name, version, purl, hashes } of foreign) {
      const fullName = group ? `%40${group.slice(1)}/${name}` : name;
      expect(purl).toBe(`pkg:npm/${fullName}@${version}`);
      expect(hashes?.[0]?.content).toMatch(/^[0-9a-f]{40,128}$/);
    }
  });

  test('says of each package what it requires, and of all but a few under which license it is', () => {
    const refs = new Set([...bom.components.map((component) => component['bom-ref']), `@messagebox/${service}@0.1.0`]);
    expect(new Set(bom.dependencies.map(({ ref }) => ref))).toEqual(refs);
    const required = bom.dependencies.flatMap(({ dependsOn }) => dependsOn ?? []);
    expect(required.filter((ref) => !refs.has(ref))).toEqual([]);
    expect(bom.components.filter(({ licenses }) => licenses === undefined).length).toBeLessThan(5);
  });

  test('has nothing that the image leaves out, and nothing for development', () => {
    const unwanted = [
      'typescript',
      'jest',
      'elliptic',
      'prebuild-install',
      'tar-fs',
      '@types/node',
      '@bsv/auth-express-middleware',
    ];
    expect(names(bom).filter((name) => unwanted.includes(name))).toEqual([]);
    expect(names(bom).includes('better-sqlite3')).toBe(service === 'standalone');
  });
});

test('the same packages make the same text', () => {
  expect(create('overlay')).toBe(create('overlay'));
});

test('a service that does not exist is refused', () => {
  expect(() => findProductionClosure(lock, [], 'nothing')).toThrow('pnpm-lock.yaml has no services/nothing.');
});
