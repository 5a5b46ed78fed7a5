/** A stream that text is written to. `isTTY` is true for a terminal. */
export interface OutputStream {
  readonly isTTY?: boolean;
  write(text: string, done?: (error?: Error | null) => void): boolean;
}

/** All that the command touches of its process. Tests and other programs give their own. */
export interface CliIo {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths and `.env` are read from. */
  readonly cwd: string;
  /** Aborted when the user wants to stop (Ctrl-C). Default: never. */
  readonly signal?: AbortSignal;
}
