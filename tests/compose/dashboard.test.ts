import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { temporaryFolder } from '../support/own-process.js';
import { type ServiceProcess, startService } from '../support/processes.js';

const root = resolve(import.meta.dirname, '..', '..');
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
const observability = (...path: string[]) => read('deploy', 'observability', ...path);

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
const { panels } = JSON.parse(observability('grafana', 'messagebox.json')) as { panels: Panel[] };

const alerts = [
  ...observability('alerts.yml').matchAll(/- alert: (\w+)\n +expr: ['"]?(.*?)['"]?\n +for: (\w+)\n/g),
].map(([, name = '', expr = '', duration = '']) => ({ name, expr, for: duration }));

describe('the dashboard and the alerts', () => {
  /** What the process below has not: without Redis, and without ENABLE_FIREBASE. */
  const elsewhere = ['messagebox_redis_up', 'messagebox_push_outbox_rows'];
  const folder = temporaryFolder();
  let service: ServiceProcess;
  let known: Set<string>;
  beforeAll(async () => {
    const env = { DATA_DIR: folder.path, HOST: '127.0.0.1', INTERNAL_PORT: '0', INTERNAL_HOST: '127.0.0.1' };
    service = await startService({ name: 'standalone', env });
    const { url } = JSON.parse(await service.waitForLog('metrics and health')) as { url: string };
    const text = await (await fetch(`${url}/metrics`)).text();
    known = new Set(elsewhere);
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
      const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      for (const suffix of suffixes) known.add(`${name}${suffix}`);
    }
  });
  afterAll(async () => {
    await service.kill();
    folder.remove();
  });

  const asked = (expr: string) => expr.match(/\b(messagebox|nodejs|process)_\w+/g) ?? [];

  test('ask for metrics that there are', () => {
    const expressions = [...panels.flatMap(({ targets = [] }) => targets), ...alerts].map(({ expr }) => expr);
    for (const expr of expressions) expect(asked(expr)).not.toEqual([]);
    expect(expressions.flatMap(asked).filter((metric) => !known.has(metric))).toEqual([]);
  });

  test('show each of our metrics somewhere', () => {
    const shown = new Set(panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => asked(expr))));
    const bare = (metric: string) => metric.replace(/_(bucket|sum|count)$/, '');
    const ours = [...known].filter((metric) => metric.startsWith('messagebox_')).map(bare);
    // How large requests are is for those who ask for it.
    const left = new Set(ours.filter((metric) => metric !== 'messagebox_http_request_size_bytes'));
    for (const metric of shown) left.delete(bare(metric));
    expect([...left]).toEqual([]);
  });
});

describe('the dashboard', () => {
  test('asks the operator`s questions, in this order', () => {
    const rows = panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Is it up?', 'Is it slow?', 'Is it losing?', 'Must I scale?']);
  });

  test('has panels of its own, side by side, that use the provisioned data source', () => {
    const uid = /^ +uid: (\w+)$/m.exec(observability('grafana', 'datasource.yml'))?.[1];
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const covered = new Set<string>();
    for (const { type, title, gridPos, datasource, targets = [] } of panels) {
      if (type !== 'row') {
        expect({ title, uids: [datasource?.uid, ...targets.map((target) => target.datasource.uid)] }).toEqual({
          title,
          uids: Array(targets.length + 1).fill(uid),
        });
      }
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x).toBeLessThan(24);
          expect(covered).not.toContain(`${x} ${y}`);
          covered.add(`${x} ${y}`);
        }
      }
    }
  });
});

test('the alerts are those of docs/operating.md', () => {
  const section =
    read('docs', 'operating.md')
      .split(/^## Alerts$/m)[1]
      ?.split(/^## /m)[0] ?? '';
  const documented = [...section.matchAll(/^\| ([^|`]+) \| `([^`]+)` \| (\w+) \|/gm)].map(
    ([, name = '', expr = '', duration = '']) => ({
      name: name.replace(/(?:^|\s)(\w)/g, (_match, letter: string) => letter.toUpperCase()),
      expr,
      for: duration,
    }),
  );
  expect(documented.length).toBeGreaterThan(10);
  expect(alerts).toEqual(documented);
});
