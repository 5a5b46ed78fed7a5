import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describedLimits, Metrics, variables } from '@messagebox/shared';
import { withLimitTables } from '../../scripts/lib/limits-tables.mjs';

const root = path.join(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const documents = readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md'));

/** Every source file of packages and services. */
function sources(): string[] {
  return ['packages', 'services'].flatMap((parent) =>
    readdirSync(path.join(root, parent)).flatMap((name) => {
      const folder = path.join(parent, name, 'src');
      if (!existsSync(path.join(root, folder))) return [];
      return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => read(path.join(folder, file)));
    }),
  );
}

/** Name and labels of every metric of our own: those of `Metrics`, and the gauges that services add to it. */
function metricsInCode(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const metric of new Metrics('x', {}).registry.getMetricsAsArray()) {
    const { name, labelNames } = metric as { name: string; labelNames?: string[] };
    if (name.startsWith('messagebox_')) found.set(name, [...(labelNames ?? [])]);
  }
  // gauge('name', 'help', read) and gauges('name', 'help', 'label', read), however they are broken into lines.
  const gauge = /\.gauges?\(\s*'(messagebox_\w+)',\s*(['"`])(?:(?!\2).)*\2,\s*(?:'(\w+)')?/g;
  for (const source of sources()) {
    for (const [, name, , label] of source.matchAll(gauge)) found.set(String(name), label === undefined ? [] : [label]);
  }
  return found;
}

describe('docs/operating.md', () => {
  const text = read('docs/operating.md');
  const inCode = metricsInCode();

  test('the code is read to the end: no metric is named there that was not found', () => {
    const named = sources().flatMap((source) =>
      [...source.matchAll(/['"`](messagebox_\w+)['"`]/g)].map((match) => match[1]),
    );
    const metrics = named.filter((name) => !/_(unique|index)$/.test(String(name)));
    expect([...new Set(metrics)].sort()).toEqual([...inCode.keys()].sort());
    expect(inCode.size).toBeGreaterThan(10);
  });

  test('has a row for each metric that exists, with its labels, and for no other', () => {
    const rows = [...text.matchAll(/^\| `(messagebox_\w+)` \|([^|]*)\|/gm)];
    const labels = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map((match) => String(match[1])).sort();
    const documented = rows.map(([, name, cell]) => [name, labels(String(cell))]);
    // What a process runs on is named where it is opened, not where the metric is made.
    const expected = [...inCode].map(([name, names]) =>
      name === 'messagebox_info' ? [name, ['database', 'events', 'secp256k1']] : [name, [...names].sort()],
    );
    const byName = (a: unknown[], b: unknown[]) => String(a[0]).localeCompare(String(b[0]));
    expect(documented.sort(byName)).toEqual(expected.sort(byName));
  });

  test('asks for no metric that does not exist', () => {
    const process = new Metrics('x', {}).registry.getMetricsAsArray().map((metric) => metric.name);
    const known = new Set([...inCode.keys(), ...process]);
    const asked = [...text.matchAll(/\b(?:messagebox|nodejs|process)_[a-z0-9_]+\b/g)].map(([name]) => name);
    const unknown = asked.filter((name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')));
    expect(unknown).toEqual([]);
  });
});

describe('docs/limits.md', () => {
  const text = read('docs/limits.md');
  /** Labels in the last cell of each row. */
  const documented = new Set(
    [...text.matchAll(/^\|.*\|([^|]*)\|$/gm)].flatMap(([, cell]) =>
      [...String(cell).matchAll(/`([a-z_]+)`/g)].map((match) => String(match[1])),
    ),
  );

  test('is what scripts/limits-doc.mjs makes of the configuration', () => {
    expect(withLimitTables(text, describedLimits())).toBe(text);
    expect(describedLimits().filter(({ name }) => !text.includes(`\n| \`${name}\` |`))).toEqual([]);
  });

  test('names the limits that the code counts, and no others', () => {
    const code = sources();
    const counted = code.flatMap((source) =>
      [...source.matchAll(/(?:[hH]it|[lL]imit|count|open|openShared|refuse)(?:\?\.)?\(\s*'([a-z_]+)'/g)].map((match) =>
        String(match[1]),
      ),
    );
    expect(counted.length).toBeGreaterThan(20);
    expect(counted.filter((limit) => !documented.has(limit))).toEqual([]);
    const unknown = [...documented].filter((limit) => !code.some((source) => source.includes(`'${limit}'`)));
    expect(unknown).toEqual([]);
  });
});

test.each(documents)('docs/%s names only variables that exist', (file) => {
  const named = [...read(`docs/${file}`).matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g)].map((match) =>
    String(match[1]),
  );
  // Error codes, and what MySQL calls things.
  const strange = named.filter((name) => !(name in variables) && !/^ERR_|^NODE_OPTIONS$/.test(name));
  expect([...new Set(strange)]).toEqual([]);
});

test.each(documents)('docs/%s links to what is there', (file) => {
  const links = [...read(`docs/${file}`).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map((match) => String(match[1]));
  expect(links.filter((link) => !existsSync(path.join(root, 'docs', link)))).toEqual([]);
});
