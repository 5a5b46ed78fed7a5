import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.join(__dirname, '../..');

/** A fenced block of the page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The comment in the line before it, which is for the test. */
  readonly note: string | undefined;
  /** The text between it and the block before. */
  readonly before: string;
}

export const UNTIL_STOPPED = 'runs until it is stopped';
const NOT_EXECUTED = /^not executed here: .* `([^`]+)` does it/;

/** The blocks of each section of docs/getting-started.md, by the title of the section. */
export function readSections(): ReadonlyMap<string, readonly Block[]> {
  const page = readFileSync(path.join(root, 'docs/getting-started.md'), 'utf8');
  const [, ...sections] = page.split(/^## /m);
  return new Map(sections.map((section) => [section.slice(0, section.indexOf('\n')), readBlocks(section)]));
}

function readBlocks(section: string): Block[] {
  let end = 0;
  return [...section.matchAll(/^(?:<!-- (.*) -->\n)?```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const before = section.slice(end, match.index);
    end = match.index + match[0].length;
    return { note: match[1], language: String(match[2]), text: String(match[3]), before };
  });
}

/** Whether a block is left to another test. @throws when that test does not exist */
export function isLeftOut({ note }: Block): boolean {
  if (note === undefined || note === UNTIL_STOPPED) return false;
  const by = NOT_EXECUTED.exec(note)?.[1];
  if (by === undefined) throw new Error(`no note of this page reads: ${note}`);
  const script = /^npm run (\S+)$/.exec(by)?.[1];
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object };
  if (script === undefined ? !existsSync(path.join(root, by)) : !Object.hasOwn(scripts, script)) {
    throw new Error(`there is no ${by}`);
  }
  return true;
}

/** The shell script of a section: its commands in their order, and the files that its text asks to be written. */
export function toShellScript(blocks: readonly Block[]): string {
  const lines = blocks
    .filter((block) => !isLeftOut(block) && block.note !== UNTIL_STOPPED)
    .map(({ language, text, before }) => {
      if (language === 'sh') return text;
      if (language === 'text') return '';
      const file = /Put this into `([\w.-]+)`:\s*$/.exec(before)?.[1];
      if (language !== 'js' || file === undefined) throw new Error(`nobody says what to do with:\n${text}`);
      return `cat > ${file} <<'END OF THE BLOCK'\n${text}END OF THE BLOCK\n`;
    });
  return lines.join('\n');
}
