export { EXIT, type ExitCode } from './exit-codes.js';
export type { CliIo, OutputStream } from './io.js';
export { runCli } from './run-cli.js';
export { runCliProcess } from './run-cli-process.js';
