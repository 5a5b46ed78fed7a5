// The imports between and within the packages and services of the workspace.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { inRoot } from './workspace.mjs';

/**
 * Which packages are on which floor, from the ground up. A member may import members of lower floors only, and those of its
 * own floor that stand before it.
 *
 * @type {readonly (readonly string[])[]}
 */
export const FLOORS = [
  ['api-description', 'brc103', 'console', 'transactions'],
  ['store'],
  ['messages', 'devnet'],
  ['shared'],
  ['wallet', 'uploads'],
  ['payments'],
  ['api', 'realtime', 'overlay'],
  ['standalone'],
  ['cli'],
  ['messagebox'],
];

/** Packages for tests only. */
const TEST_PACKAGES = ['packages/test-kit', 'packages/test-support'];

const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)'([^']+)'/g;

/** @returns {string[]} the members of the workspace whose sources run in production, as folders: `packages/store` */
export function listMembers() {
  return ['packages', 'services'].flatMap((parent) =>
    readdirSync(inRoot(parent))
      .map((name) => `${parent}/${name}`)
      .filter((folder) => existsSync(inRoot(folder, 'src')) && !TEST_PACKAGES.includes(folder)),
  );
}

/**
 * @param {string} member a folder such as `packages/store`
 * @returns {Map<string, string[]>} what each source file imports, as it is written; files by their path in the repository
 */
export function readImports(member) {
  const files = readdirSync(inRoot(member, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.[jt]s$/.test(file),
  );
  return new Map(
    files.map((file) => {
      const text = readFileSync(inRoot(member, 'src', file), 'utf8');
      return [`${member}/src/${file}`, [...text.matchAll(IMPORT)].map((match) => match[1] ?? '')];
    }),
  );
}

/** @returns {Map<string, Set<string>>} the members that each member imports, by their names without scope */
export function readPackageGraph() {
  return new Map(
    listMembers().map((member) => {
      const imported = [...readImports(member).values()].flat().filter((name) => name.startsWith('@messagebox/'));
      return [path.basename(member), new Set(imported.map((name) => name.split('/')[1] ?? ''))];
    }),
  );
}

/**
 * @param {Map<string, Set<string>>} graph
 * @returns {string} Mermaid; an arrow that follows from others is left out
 */
export function renderPackageGraph(graph) {
  const lines = [...graph].flatMap(([from, imports]) => {
    const direct = [...imports].filter((to) => ![...imports].some((via) => via !== to && reaches(graph, via, to)));
    return direct.sort().map((to) => `  ${from} --> ${to}`);
  });
  return ['```mermaid', 'flowchart TD', ...lines, '```'].join('\n');
}

/**
 * @param {Map<string, Set<string>>} graph
 * @param {string} from
 * @param {string} to
 * @param {Set<string>} seen
 * @returns {boolean}
 */
function reaches(graph, from, to, seen = new Set()) {
  if (seen.has(from)) return false;
  seen.add(from);
  const imports = graph.get(from) ?? new Set();
  return imports.has(to) || [...imports].some((via) => reaches(graph, via, to, seen));
}

const BEGIN = '<!-- package graph: written by `npm run docs` -->';
const END = '<!-- end of the package graph -->';

/**
 * @param {string} text of a document with the two markers
 * @returns {string} the document with the graph of today
 */
export function withPackageGraph(text) {
  const [before, rest = ''] = text.split(BEGIN);
  const [, after = ''] = rest.split(END);
  return `${before}${BEGIN}\n\n${renderPackageGraph(readPackageGraph())}\n\n${END}${after}`;
}
