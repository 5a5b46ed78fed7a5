import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { type ServiceProcess, startService } from '../support/service-process.js';

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
  /** Metrics that the process below does not have, because it runs without Redis. */
  const elsewhere = ['messagebox_redis_up', 'messagebox_room_events_unpublished_total'];
  const folder = createTemporaryFolder();
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

test('the example for Alertmanager names alerts and receivers that there are, and every severity', () => {
  const example = observability('alertmanager.yml');
  const named = [...example.matchAll(/alertname=~?"([\w|]+)"/g)].flatMap(([, names = '']) => names.split('|'));
  expect(named.length).toBeGreaterThan(5);
  const known = new Set(alerts.map(({ name }) => name));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
  const receivers = [...example.matchAll(/^ {2}- name: (\w+)$/gm)].map(([, name]) => name);
  const used = [...example.matchAll(/receiver: (\w+)$/gm)].map(([, name]) => name);
  expect(new Set(used)).toEqual(new Set(receivers));
  const severities = [...observability('alerts.yml').matchAll(/severity: (\w+)/g)].map(([, severity]) => severity);
  // The rest of them takes the first route.
  expect(new Set(severities)).toEqual(new Set(['critical', 'warning']));
  expect(example).toContain(`matchers: ['severity="critical"']`);
});

test('the alerts equal those of docs/monitoring.md', () => {
  const section =
    read('docs', 'monitoring.md')
      .split(/^## Alerts$/m)[1]
      ?.split(/^## /m)[0] ?? '';
  const expressions = new Map(
    [...section.matchAll(/^# (.+)\n(.+)$/gm)].map(([, name = '', expr = '']): [string, string] => [name, expr]),
  );
  const documented = [...section.matchAll(/^\| ([^|`]+) \| (\d\w+) \|/gm)].map(([, name = '', duration = '']) => ({
    name: name.replace(/(?:^|\s)(\w)/g, (_match, letter: string) => letter.toUpperCase()),
    expr: expressions.get(name),
    for: duration,
  }));
  expect(documented.length).toBeGreaterThan(10);
  expect(expressions.size).toBe(documented.length);
  expect(alerts).toEqual(documented);
});
