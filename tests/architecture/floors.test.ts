import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { FLOORS, listMembers, readImports, readPackageGraph } from '../../scripts/lib/package-graph.mjs';

const root = path.join(__dirname, '../..');
const order = FLOORS.flat();
const graph = readPackageGraph();

test('every package and service has its floor', () => {
  expect([...graph.keys()].sort()).toEqual([...order].sort());
});

test.each(listMembers())('%s imports lower floors only', (member) => {
  const name = path.basename(member);
  const below = order.slice(0, order.indexOf(name));
  expect([...(graph.get(name) ?? [])].filter((imported) => !below.includes(imported))).toEqual([]);
});

test.each(listMembers())('%s declares each package of the workspace that it imports, and no other', (member) => {
  const manifest = JSON.parse(readFileSync(path.join(root, member, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  const declared = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@messagebox/'));
  expect(declared.sort()).toEqual(
    [...(graph.get(path.basename(member)) ?? [])].map((name) => `@messagebox/${name}`).sort(),
  );
});

test.each(listMembers())('%s imports other packages by what they export', (member) => {
  const problems = [...readImports(member)].flatMap(([file, imports]) =>
    imports.filter((name) => !isExported(name) || leaves(member, file, name)).map((name) => `${file}: ${name}`),
  );
  expect(problems).toEqual([]);
});

test.each(listMembers())('no file of %s imports itself through others', (member) => {
  const files = readImports(member);
  const imports = new Map(
    [...files].map(([file, names]) => [
      file,
      names.map((name) => toFile(file, name)).filter((name) => files.has(name)),
    ]),
  );
  expect(findCircle(imports)).toEqual([]);
});

function isExported(name: string): boolean {
  const [scope, folder, ...rest] = name.split('/');
  if (scope !== '@messagebox') return true;
  const manifest = ['packages', 'services'].map((parent) => path.join(root, parent, folder ?? '', 'package.json'));
  const found = manifest.find((file) => existsSync(file));
  if (found === undefined) return false;
  const { exports } = JSON.parse(readFileSync(found, 'utf8')) as { exports: Record<string, unknown> };
  return ['.', ...rest].join('/') in exports;
}

function leaves(member: string, file: string, name: string): boolean {
  return name.startsWith('.') && !toFile(file, name).startsWith(`${member}/src/`);
}

/** The source file that a relative import means. */
function toFile(from: string, name: string): string {
  if (!name.startsWith('.')) return name;
  const target = path.posix.join(path.posix.dirname(from), name);
  const source = target.replace(/\.js$/, '.ts');
  return existsSync(path.join(root, source)) ? source : target;
}

/** The files of one circle, or none. Imports of types count. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): string[] => {
    const at = trail.indexOf(file);
    if (at >= 0) return [...trail.slice(at), file];
    if (done.has(file)) return [];
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next, [...trail, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
