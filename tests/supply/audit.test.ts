import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type AuditException, judgeAudit } from '../../scripts/lib/judge-audit.mjs';

const root = path.join(__dirname, '../..');
const context = { exceptions: [], inImages: new Set(['express@5.3.0']), today: '2026-11-30' };

const report = (severity: string, name = 'express', version = '5.3.0') => ({
  advisories: {
    '1': {
      module_name: name,
      severity,
      title: 'Reads too much',
      github_advisory_id: 'GHSA-1111-2222-3333',
      findings: [{ version }],
    },
  },
});

const accepted = (changes: Partial<AuditException> = {}): AuditException => ({
  advisory: 'GHSA-1111-2222-3333',
  package: 'express',
  because: 'The function is not used.',
  until: '2026-12-31',
  ...changes,
});

test('a report without findings passes', () => {
  expect(judgeAudit({ advisories: {} }, context)).toEqual({ failures: [], notes: [], unavailable: undefined });
});

test.each(['high', 'critical'])('a finding of severity %s in an image fails', (severity) => {
  expect(judgeAudit(report(severity), context).failures).toEqual([
    `${severity}: express@5.3.0: Reads too much (GHSA-1111-2222-3333)`,
  ]);
});

test.each([
  ['of severity moderate', report('moderate')],
  ['in a package for development', report('critical', 'jest', '30.5.2')],
  ['in another version than the images have', report('critical', 'express', '4.0.0')],
])('a finding %s is a note', (_, finding) => {
  const { failures, notes } = judgeAudit(finding, context);
  expect(failures).toEqual([]);
  expect(notes).toHaveLength(1);
});

test('an exception accepts its finding until its last day, with the reason as a note', () => {
  const { failures, notes } = judgeAudit(report('high'), {
    ...context,
    exceptions: [accepted({ until: '2026-11-30' })],
  });
  expect(failures).toEqual([]);
  expect(notes.join()).toContain('accepted until 2026-11-30: The function is not used.');
});

test('an exception accepts nothing after its last day', () => {
  const { failures } = judgeAudit(report('high'), { ...context, exceptions: [accepted({ until: '2026-11-29' })] });
  expect(failures.join()).toContain('its exception ended on 2026-11-29');
});

test.each([
  ['another advisory', { advisory: 'GHSA-0000-0000-0000' }],
  ['another package', { package: 'knex' }],
])('an exception of %s accepts nothing', (_, changes) => {
  const { failures, notes } = judgeAudit(report('high'), { ...context, exceptions: [accepted(changes)] });
  expect(failures).toHaveLength(1);
  expect(notes.join()).toContain('an exception without a finding');
});

test.each([
  ['a reason', { because: ' ' }],
  ['a last day', { until: '' }],
  ['a day that exists', { until: '2026-13-01' }],
])('an exception without %s fails, also when the registry gives no answer', (_, changes) => {
  const { failures } = judgeAudit({ error: {} }, { ...context, exceptions: [accepted(changes)] });
  expect(failures).toEqual([
    'The exception GHSA-1111-2222-3333 of express must have advisory, package, because, and until as YYYY-MM-DD.',
  ]);
});

describe('npm run audit', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'messagebox-audit-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function judge(name: string, output: string) {
    const file = path.join(folder, name);
    writeFileSync(file, output);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/audit.mjs', `--report=${file}`], {
      cwd: root,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }

  test('fails, and names the finding', () => {
    const { status, output } = judge('finding.json', `a warning\n${JSON.stringify(report('critical'), null, 2)}`);
    expect(output).toContain('critical: express@5.3.0: Reads too much (GHSA-1111-2222-3333)');
    expect(status).toBe(1);
  });

  test('says that nothing was found', () => {
    const { status, output } = judge('nothing.json', '{"advisories":{}}');
    expect(output).toContain('No vulnerability of severity high or critical is in an image.');
    expect(status).toBe(0);
  });

  test.each([
    [
      'refuses',
      '{"error":{"code":"ERR_PNPM_AUDIT_BAD_RESPONSE","message":"responded with 405"}}',
      'responded with 405',
    ],
    ['cannot be reached', ' ERR_PNPM  request failed', 'request failed'],
    ['gives an empty answer', '', 'There was no output.'],
  ])('passes with a visible note when the registry %s', (name, answer, reason) => {
    const { status, output } = judge(`${name}.json`, answer);
    expect(output).toContain('!!! The registry gave no answer, so vulnerabilities were NOT looked for');
    expect(output).toContain(reason);
    expect(status).toBe(0);
  });
});
