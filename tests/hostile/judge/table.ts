import { type Finding, faultsOf, type Strictness, seconds } from './verdict.ts';

const HEADINGS = [
  'attack',
  'from',
  'p50 ×',
  'p99 ×',
  'slowest',
  'longest refusal',
  'RSS MB',
  'peak',
  'after',
  'verdict',
];

/** One line for each finding, in columns. */
export function table(findings: readonly Finding[], strictness: Strictness = {}): string {
  const rows = [HEADINGS, ...findings.map((finding) => row(finding, strictness))];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function row(finding: Finding, strictness: Strictness): string[] {
  const { attack, shape, slowdown, outage, memory } = finding;
  const faults = faultsOf(finding, strictness);
  return [
    attack,
    shape,
    times(slowdown.p50),
    times(slowdown.p99),
    slowdown.worst ?? '',
    outage === undefined ? '' : `${seconds(outage.ms)} (${outage.kind})`,
    megabytes(memory.before),
    megabytes(memory.peak),
    megabytes(memory.after),
    faults.length === 0 ? 'passed' : `FAILED: ${faults.join(', ')}`,
  ];
}

const times = (ratio: number) => (Number.isFinite(ratio) ? ratio.toFixed(1) : 'never');
const megabytes = (bytes: number) => (bytes === 0 ? '' : String(Math.round(bytes / 1_048_576)));
