import type { CliIo } from '../io.js';

/** Says on stderr how far a long work is. */
export interface Progress {
  /** @param text short and inert, such as `12,000 messages` */
  update(text: string): void;
  /** Removes the line. */
  end(): void;
}

const CLEAR_LINE = '\r\u001b[K';

/** On a terminal one line is rewritten. Elsewhere nothing is printed, so that logs stay short. */
export function startProgress(io: CliIo, title: string): Progress {
  if (io.stderr.isTTY !== true) return { update: () => undefined, end: () => undefined };
  const write = (text: string) => io.stderr.write(`${CLEAR_LINE}${text}`);
  write(`${title} …`);
  return {
    update: (text) => write(`${title} … ${text}`),
    end: () => write(''),
  };
}
