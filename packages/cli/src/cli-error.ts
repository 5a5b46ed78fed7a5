import type { ExitCode } from './exit-codes.js';

/** A problem that the user can understand: its message is printed without a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';

  /**
   * @param message one or more full sentences; empty when the command has printed what is wrong
   * @param code the server's error code, such as `ERR_NOT_ADMIN`
   */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly details: { readonly code?: string | undefined; readonly advice?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
  }
}
