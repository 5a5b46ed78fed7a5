// The error codes of docs/errors.md as a TypeScript module: packages/api-description/src/errors/catalogue.ts.
import { readFileSync } from 'node:fs';
import { inRoot } from './workspace.mjs';

const LINE_WIDTH = 120;
const HEADER = `// Written by \`npm run docs\` from docs/errors.md.

/** What docs/errors.md says of an error code. */
export interface ErrorEntry {
  /** The HTTP statuses that it comes with. Live, there is no status. */
  readonly statuses: readonly number[];
  /** The heading of its table. */
  readonly section: string;
  /** When it comes. */
  readonly cause: string;
  /** What the caller does about it. */
  readonly cure: string;
}

/** Every error code that a client may receive. */
`;

/**
 * @param {string} markdown docs/errors.md
 * @returns {{ code: string, statuses: number[], section: string, cause: string, cure: string }[]} in the order of the document
 */
export function parseErrorCatalogue(markdown) {
  let section = '';
  /** @type {ReturnType<typeof parseErrorCatalogue>} */
  const entries = [];
  for (const line of markdown.split('\n')) {
    const heading = /^##+ (.*)$/.exec(line);
    if (heading) section = heading[1] ?? '';
    const row = /^\| `([A-Z0-9_]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/.exec(line);
    if (row === null) continue;
    const [, code = '', statuses = '', cause = '', cure = ''] = row;
    entries.push({
      code,
      statuses: (statuses.match(/\d{3}/g) ?? []).map(Number),
      section,
      cause: withoutLinks(cause),
      cure: withoutLinks(cure),
    });
  }
  return entries;
}

/** @returns {string} the TypeScript module */
export function errorCatalogueModule() {
  const entries = parseErrorCatalogue(readFileSync(inRoot('docs', 'errors.md'), 'utf8'));
  const lines = entries.flatMap(({ code, statuses, section, cause, cure }) => [
    `  ${code}: {`,
    `    statuses: [${statuses.join(', ')}],`,
    ...property('section', section),
    ...property('cause', cause),
    ...property('cure', cure),
    '  },',
  ]);
  return [
    `${HEADER}export const errorCatalogue = {`,
    ...lines,
    '} as const satisfies Readonly<Record<string, ErrorEntry>>;',
    '',
    '/** One of the codes of {@link errorCatalogue}. */',
    'export type ErrorCode = keyof typeof errorCatalogue;',
    '',
  ].join('\n');
}

/** @param {string} name @param {string} text @returns {string[]} lines as the formatter would break them */
function property(name, text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const literal = `${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
  const line = `    ${name}: ${literal},`;
  return line.length <= LINE_WIDTH ? [line] : [`    ${name}:`, `      ${literal},`];
}

/** @param {string} text of a cell in Markdown */
function withoutLinks(text) {
  return text.trim().replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
}
