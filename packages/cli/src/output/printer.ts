import type { CliIo, OutputStream } from '../io.js';
import { toInert, toInertJson } from './inert-text.js';

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export type Style = keyof typeof STYLES;

/** Prints results to stdout, and progress to stderr. All values that it is given are made inert. */
export class Printer {
  readonly #io: CliIo;

  constructor(io: CliIo) {
    this.#io = io;
  }

  /** One line of text on stdout. The text must be inert already. */
  line(text = ''): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /** One value as one line of JSON on stdout. */
  json(value: unknown): void {
    this.line(toInertJson(value));
  }

  /** Names and values, one pair a line, aligned. Undefined values are left out. */
  facts(facts: Readonly<Record<string, string | number | undefined>>): void {
    const given = Object.entries(facts).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
    const width = Math.max(...given.map(([name]) => name.length));
    for (const [name, value] of given) {
      this.line(`${this.style('dim', name.padEnd(width))}  ${toInert(String(value))}`);
    }
  }

  /** Rows below a header, in columns as wide as their content. Numbers are aligned to the right. */
  table(headers: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const texts = rows.map((row) => row.map((cell) => toInert(String(cell))));
    const widths = headers.map((header, column) =>
      Math.max(header.length, ...texts.map((row) => row[column]?.length ?? 0)),
    );
    const toLine = (cells: readonly string[], isRight: (column: number) => boolean) =>
      cells
        .map((cell, column) =>
          isRight(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd();
    const isNumber = (column: number) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number');
    this.line(this.style('dim', toLine(headers, isNumber)));
    for (const row of texts) this.line(toLine(row, isNumber));
  }

  /** A remark for the person at the terminal, on stderr. The text must be inert already. */
  note(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  /** The text in a colour, when stdout is a terminal and NO_COLOR is not set. */
  style(style: Style, text: string, stream: OutputStream = this.#io.stdout): string {
    if (stream.isTTY !== true || (this.#io.env['NO_COLOR'] ?? '') !== '') return text;
    const [on, off] = STYLES[style];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  }
}
