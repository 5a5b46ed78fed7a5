import { formatColumns } from '../../support/format-columns.ts';
import { findProblems, formatSeconds, isFinding, type Outcome, type VerdictOptions } from './verdict.ts';

const HEADINGS = [
  'fault',
  'sent',
  'acknowledged',
  'lost',
  'twice',
  'misdelivered',
  'missed, stayed',
  'missed, reconnected',
  'repeated',
  'ended',
  'recovery',
  'caught up',
  'again',
  'out of order',
  'verdict',
];

/** One line for each trial, in columns. */
export function formatTable(outcomes: readonly Outcome[], options: VerdictOptions = {}): string {
  return formatColumns([HEADINGS, ...outcomes.map((outcome) => formatRow(outcome, options))]);
}

/** The same as a table of a document. */
export function formatMarkdownTable(outcomes: readonly Outcome[]): string {
  const toLine = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [HEADINGS, HEADINGS.map(() => '---'), ...outcomes.map((outcome) => formatRow(outcome))].map(toLine).join('\n');
}

function formatRow(outcome: Outcome, options: VerdictOptions = {}): string[] {
  if (!isFinding(outcome)) {
    const { fault, skipped, broken } = outcome;
    const verdict = skipped === undefined ? `FAILED: ${broken}` : `not run: ${skipped}`;
    return [fault, ...HEADINGS.slice(2).map(() => ''), verdict];
  }
  const { fault, counts, recovery, ended } = outcome;
  const problems = findProblems(outcome, options);
  return [
    fault,
    ...[
      counts.sent,
      counts.acknowledged,
      counts.lost,
      counts.twice,
      counts.misdelivered,
      counts.missedStayed,
      counts.missedReconnected,
      counts.repeated,
      ended.length,
    ].map(String),
    formatSeconds(recovery.ms),
    formatSeconds(recovery.caughtUpMs),
    String(counts.again),
    String(counts.outOfOrder),
    problems.length === 0 ? 'passed' : `FAILED: ${problems.join(', ')}`,
  ];
}
