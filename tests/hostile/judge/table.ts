import { formatColumns } from '../../support/format-columns.ts';
import { type Finding, findFaults, formatSeconds, type VerdictOptions } from './verdict.ts';

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
export function formatTable(findings: readonly Finding[], strictness: VerdictOptions = {}): string {
  return formatColumns([HEADINGS, ...findings.map((finding) => formatRow(finding, strictness))]);
}

function formatRow(finding: Finding, strictness: VerdictOptions): string[] {
  const { attack, shape, slowdown, outage, memory } = finding;
  const faults = findFaults(finding, strictness);
  return [
    attack,
    shape,
    formatRatio(slowdown.p50),
    formatRatio(slowdown.p99),
    slowdown.worst ?? '',
    outage === undefined ? '' : `${formatSeconds(outage.ms)} (${outage.kind})`,
    formatMegabytes(memory.before),
    formatMegabytes(memory.peak),
    formatMegabytes(memory.after),
    faults.length === 0 ? 'passed' : `FAILED: ${faults.join(', ')}`,
  ];
}

const formatRatio = (ratio: number) => (Number.isFinite(ratio) ? ratio.toFixed(1) : 'never');
const formatMegabytes = (bytes: number) => (bytes === 0 ? '' : String(Math.round(bytes / 1_048_576)));
