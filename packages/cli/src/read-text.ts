import { CliError } from './cli-error.js';
import { EXIT } from './exit-codes.js';
import type { CliIo } from './io.js';

/** No server takes more in one request. */
const MAX_BYTES = 1_073_741_824;

/**
 * Reads the standard input to its end. One line break at the end is dropped, as a shell does.
 *
 * @throws {CliError} when it is no UTF-8 text, or interrupted
 */
export async function readText(io: CliIo): Promise<string> {
  if (io.stdin.isTTY === true) io.stderr.write('Write the text, and end it with Ctrl-D:\n');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of io.stdin) {
    if (io.signal?.aborted === true) throw new CliError(EXIT.interrupted, 'Interrupted.');
    const bytes = Buffer.from(chunk as Uint8Array);
    size += bytes.length;
    if (size > MAX_BYTES) throw new CliError(EXIT.usage, 'The text on the standard input is too large.');
    chunks.push(bytes);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, '');
  } catch {
    throw new CliError(EXIT.usage, 'The standard input is not UTF-8 text.');
  }
}
