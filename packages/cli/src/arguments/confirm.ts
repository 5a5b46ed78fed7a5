import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';

/**
 * Asks the person at the terminal to type a word before something is done that can't be undone.
 *
 * @throws {CliError} when they type something else, or when nobody is there to ask
 */
export async function confirm(io: CliIo, consequence: string, word: string): Promise<void> {
  if (io.stdin.isTTY !== true) {
    throw new CliError(EXIT.usage, `${consequence} Nobody is there to be asked: say --yes if you mean it.`);
  }
  io.stderr.write(`${consequence}\nType ${word} to go on: `);
  const lines = createInterface({ input: Readable.from(io.stdin) });
  try {
    for await (const line of lines) {
      if (line.trim() === word) return;
      break;
    }
  } finally {
    lines.close();
  }
  throw new CliError(EXIT.failed, 'Nothing was done.');
}
