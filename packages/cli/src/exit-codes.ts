/** What the exit code of the command says. docs/cli.md lists them for users. */
export const EXIT = {
  ok: 0,
  /** The operation failed, or a check found a fault. */
  failed: 1,
  /** The command can't be run as it was given: arguments, options, files. */
  usage: 2,
  /** No server can be reached, or what answers is not a MessageBox server. */
  unreachable: 3,
  /** The server understood the request and refused it. */
  refused: 4,
  /** Ended by Ctrl-C before the work was done. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
