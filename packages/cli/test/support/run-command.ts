import { spawn } from 'node:child_process';
import path from 'node:path';
import { type ManagedProcess, startProcess } from '@messagebox/test-support/managed-process';

/** The program that users run. */
export const BIN = path.join(__dirname, '../../bin/messagebox.mjs');

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The standard input; it ends behind it. */
  readonly input?: string | Buffer;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** What a command has printed, and its exit code. */
export interface CommandOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. It gets PATH and the given environment, nothing else. */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  return runProgram(process.execPath, [...(options.node ?? []), BIN, ...args], options);
}

/** As {@link runCommand}, for any program. */
export function runProgram(
  program: string,
  args: readonly string[],
  { env = {}, cwd, input = '' }: CommandOptions = {},
): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { PATH: process.env['PATH'], ...env } });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
    child.stdin.on('error', () => undefined); // a command that ends early reads nothing more
    child.stdin.end(input);
  });
}

/** Starts a command that goes on until it is told to end. */
export function startCommand(args: readonly string[], options: Omit<CommandOptions, 'input'> = {}): ManagedProcess {
  const { env = {}, cwd, node = [] } = options;
  return startProcess(process.execPath, [...node, BIN, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
}
