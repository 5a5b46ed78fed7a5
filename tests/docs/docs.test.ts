import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as description from '@messagebox/api-description';
import { describeLimits, Metrics, variables } from '@messagebox/shared';
import * as configuration from '../../packages/shared/src/config/index.js';
import { generatedDocs } from '../../scripts/lib/generated-docs.mjs';

const root = path.join(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
/** Paths below docs/. */
const documents = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.md'),
);
const rootDocuments = readdirSync(root).filter((file) => file.endsWith('.md'));

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
  // addGauge('name', 'help', read), addCounter(…) and addLabelledGauge('name', 'help', 'label', read), in any number of lines.
  const added = /\.add(?:Counter|(?:Labelled)?Gauge)\(\s*'(messagebox_\w+)',\s*(['"`])(?:(?!\2).)*\2,\s*(?:'(\w+)')?/g;
  for (const source of sources()) {
    for (const [, name, , label] of source.matchAll(added)) found.set(String(name), label === undefined ? [] : [label]);
  }
  return found;
}

describe('docs/monitoring.md', () => {
  const text = read('docs/monitoring.md');
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
    // A metric's dependency is named where it is opened, not where the metric is created.
    const expected = [...inCode].map(([name, names]) =>
      name === 'messagebox_info' ? [name, ['database', 'events', 'secp256k1']] : [name, [...names].sort()],
    );
    const byName = (a: unknown[], b: unknown[]) => String(a[0]).localeCompare(String(b[0]));
    expect(documented.sort(byName)).toEqual(expected.sort(byName));
  });

  test.each(documents)('docs/%s names no metric that does not exist', (file) => {
    const process = new Metrics('x', {}).registry.getMetricsAsArray().map((metric) => metric.name);
    const known = new Set([...inCode.keys(), ...process]);
    const asked = [...read(`docs/${file}`).matchAll(/\b(?:messagebox|nodejs|process)_[a-z0-9_]+\b/g)].map(
      ([name]) => name,
    );
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

  test('has a row for each limit', () => {
    expect(describeLimits().filter(({ name }) => !text.includes(`\n| \`${name}\` |`))).toEqual([]);
  });

  test('names the limits that the code counts, and no others', () => {
    const code = sources();
    const counted = code.flatMap((source) =>
      [
        ...source.matchAll(
          /(?:[hH]it|[lL]imit|imitsHit\.report|count|open|openShared|refuse)(?:\?\.)?\(\s*'([a-z_]+)'/g,
        ),
      ].map((match) => String(match[1])),
    );
    expect(counted.length).toBeGreaterThan(20);
    expect(counted.filter((limit) => !documented.has(limit))).toEqual([]);
    const unknown = [...documented].filter((limit) => !code.some((source) => source.includes(`'${limit}'`)));
    expect(unknown).toEqual([]);
  });
});

test.each(Object.entries(generatedDocs(configuration, description)))(
  '%s is what `npm run docs` writes',
  (file, update) => {
    expect(update(read(file))).toBe(read(file));
  },
);

/** Variables of docker-compose.yml itself. */
const composeVariables = new Set(
  [...read('deploy/compose.env.example').matchAll(/^# ([A-Z_]+)=/gm)].map((match) => String(match[1])),
);

test.each(documents)('docs/%s names only variables that exist', (file) => {
  const named = [...read(`docs/${file}`).matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b/g)].map((match) =>
    String(match[1]),
  );
  const unknown = named.filter(
    (name) =>
      !(name in variables) &&
      !composeVariables.has(name) &&
      !/^ERR_|^NODE_OPTIONS$|^MESSAGEBOX_(URL|KEY)$|^NO_COLOR$/.test(name),
  );
  expect([...new Set(unknown)]).toEqual([]);
});

/** Anchors of a document's headings, as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const headings = [...markdown.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)];
  return new Set(
    headings.map(([, heading]) =>
      String(heading)
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

const linked = [...documents.map((file) => path.join('docs', file)), ...rootDocuments];
test.each(linked)('%s links to files and headings that exist', (file) => {
  const text = read(file);
  const links = [...text.matchAll(/\]\(([^)#:]*)(?:#([^)]*))?\)/g)];
  const broken = links.filter(([, link = '', anchor]) => {
    const target = link === '' ? file : path.join(path.dirname(file), link);
    if (!existsSync(path.join(root, target))) return true;
    return anchor !== undefined && target.endsWith('.md') && !anchors(read(target)).has(anchor);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test.each(['docs/glossary.md', 'docs/upstream-internals.md'])('%s names only files that exist', (file) => {
  const named = [...read(file).matchAll(/`((?:[\w.-]+\/)+[\w.-]+\.\w+)`/g)].map((match) => String(match[1]));
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !existsSync(path.join(root, name)))).toEqual([]);
});

test('docs/glossary.md is in alphabetical order', () => {
  const terms = [...read('docs/glossary.md').matchAll(/^\| ([^|]+) \| [^|]+ \| `/gm)].map(([, term]) =>
    String(term)
      .replace(/[`(),]/g, '')
      .toLowerCase(),
  );
  expect(terms.length).toBeGreaterThan(100);
  expect(terms).toEqual([...terms].sort());
});

test('docs/upstream-internals.md names the versions that are installed', () => {
  const rows = [...read('docs/upstream-internals.md').matchAll(/^\| `([^`]+)` \| ([\d.]+) \| `([^`]+)` \|$/gm)];
  expect(rows.length).toBeGreaterThan(10);
  for (const [, name = '', version = '', file = ''] of rows) {
    const text = read(file);
    const pinned = file.endsWith('.json')
      ? (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies[name] === version
      : text.includes(`\n  ${name}@${version}:\n`);
    expect({ name, version, pinned }).toEqual({ name, version, pinned: true });
  }
});

test('docs/adr/README.md lists every decision record', () => {
  const records = readdirSync(path.join(root, 'docs/adr')).filter((file) => /^\d{4}-/.test(file));
  const listed = [...read('docs/adr/README.md').matchAll(/\]\((\d{4}-[\w-]+\.md)\)/g)].map((match) => match[1]);
  expect(listed).toEqual(records.sort());
});
