import { formatMarkdownTable } from './table.ts';
import { isFinding, type Outcome } from './verdict.ts';

const START = '<!-- faults: written by `npm run test:faults -- --write-docs` -->';
const END = '<!-- end of the faults -->';

/**
 * Writes outcomes into the table between the two comments of docs/guarantees.md. Rows of faults that were not run stay as they
 * are, and those of faults that no longer exist go.
 *
 * @param names all faults, in the order of the table
 * @throws {Error} when the document lacks the comments
 */
export function withFaultTable(text: string, outcomes: readonly Outcome[], names: readonly string[]): string {
  const start = text.indexOf(START) + START.length;
  const end = text.indexOf(END);
  if (!text.includes(START) || end < start) throw new Error(`The document lacks ${START} or ${END}`);
  const rows = new Map(
    text
      .slice(start, end)
      .split('\n')
      .map((line) => [readName(line), line]),
  );
  const [heading = '', rule = '', ...written] = formatMarkdownTable(outcomes).split('\n');
  for (const [i, outcome] of outcomes.entries()) {
    const isSkipped = !isFinding(outcome) && outcome.skipped !== undefined;
    if (!isSkipped || !rows.has(outcome.fault)) rows.set(outcome.fault, written[i] ?? '');
  }
  const kept = names.flatMap((name) => rows.get(name) ?? []);
  return `${text.slice(0, start)}\n\n${[heading, rule, ...kept].join('\n')}\n\n${text.slice(end)}`;
}

/** The first cell of a row of a table; empty for other lines. */
function readName(line: string): string {
  return line.split('|')[1]?.trim() ?? '';
}
