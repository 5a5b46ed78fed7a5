import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';
import { parse } from 'yaml';
import { readLockFile } from '../../scripts/lib/production-closure.mjs';

const root = path.join(__dirname, '../..');
const REQUIRE = /\brequire\(\s*(['"])([^'"]+)\1\s*\)/g;

/** What this project imports of each package that loses dependencies, and who imports it. */
const entries: Record<string, { from: string; files: string[] }> = {
  '@bsv/wallet-toolbox': {
    from: 'packages/transactions',
    files: [
      ...readFileSync(path.join(root, 'packages/transactions/src/toolbox.ts'), 'utf8').matchAll(
        /await Promise\.all|^ {4}import\('([^']+)'\)/gm,
      ),
    ].flatMap(([, file]) => file ?? []),
  },
  knex: { from: 'packages/store', files: ['knex'] },
  secp256k1: { from: 'packages/brc103', files: ['secp256k1/bindings.js'] },
};

/** Dependencies that pnpm-workspace.yaml takes off packages: `name>dependency: "-"`. */
const removed = Object.entries(
  (parse(readFileSync(path.join(root, 'pnpm-workspace.yaml'), 'utf8')) as { overrides: Record<string, string> })
    .overrides,
)
  .filter(([, replacement]) => replacement === '-')
  .map(([pair]) => pair.split('>') as [string, string]);

/** The files of one package that an import of `file` can load, now or later, and the packages that they require. */
function findRequired(file: string): { files: Set<string>; packages: Set<string> } {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (from: string): void => {
    if (seen.has(from) || !/\.[cm]?js$/.test(from)) return;
    seen.add(from);
    for (const [, , specifier = ''] of readFileSync(from, 'utf8').matchAll(REQUIRE)) {
      if (specifier.startsWith('.')) visit(createRequire(from).resolve(specifier));
      else if (!isBuiltin(specifier))
        packages.add(
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  };
  visit(file);
  return { files: seen, packages };
}

test('each package that loses dependencies is one whose imports are known', () => {
  expect(removed.length).toBeGreaterThan(10);
  expect([...new Set(removed.map(([name]) => name))].sort()).toEqual(Object.keys(entries).sort());
});

test.each(Object.entries(entries))(
  'no file of %s that can be loaded asks for what it has lost',
  (name, { from, files }) => {
    const require = createRequire(path.join(root, from, 'package.json'));
    const required = new Set(files.flatMap((file) => [...findRequired(require.resolve(file)).packages]));
    expect(required.size).toBeGreaterThan(0);
    expect(removed.filter(([loser, lost]) => loser === name && required.has(lost))).toEqual([]);
  },
);

test.each(removed)('%s is installed without %s', (name, lost) => {
  const snapshots = Object.entries(readLockFile().snapshots).filter(([key]) => key.startsWith(`${name}@`));
  expect(snapshots.length).toBeGreaterThan(0);
  expect(snapshots.filter(([, { dependencies = {} }]) => lost in dependencies)).toEqual([]);
});

test('the toolbox loads none of its tests, which images do not contain', () => {
  const { from, files } = entries['@bsv/wallet-toolbox'] ?? { from: '', files: [] };
  const require = createRequire(path.join(root, from, 'package.json'));
  const loaded = files.flatMap((file) => [...findRequired(require.resolve(file)).files]);
  expect(loaded.length).toBeGreaterThan(100);
  expect(loaded.filter((file) => /\/__tests?\//.test(file))).toEqual([]);
});
