import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import { inRoot, root } from './workspace.mjs';

/** A problem that the user can fix: one line is printed, without a stack. */
export class SetupError extends Error {}

/** Runs a script's main function from the root folder; ends with one line and exit code 1 when set-up is impossible. */
export async function main(work) {
  process.chdir(root);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}

/**
 * Runs a command to its end and returns its exit code (128 + n when signal n ended it). A signal that ends this
 * process is passed on first, so that no child outlives it. With `onOutput` the command's output goes there.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ onOutput?: (text: string) => void, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function run(command, args, { onOutput, env } = {}) {
  return new Promise((resolve, reject) => {
    const output = onOutput ? 'pipe' : 'inherit';
    const child = spawn(command, args, { cwd: root, env, stdio: [onOutput ? 'ignore' : 'inherit', output, output] });
    if (onOutput) {
      child.stdout?.setEncoding('utf8').on('data', onOutput);
      child.stderr?.setEncoding('utf8').on('data', onOutput);
    }
    let ending;
    const pass = (signal) => {
      ending = signal;
      child.kill(signal);
    };
    process.on('SIGINT', pass).on('SIGTERM', pass);
    const settle = () => process.off('SIGINT', pass).off('SIGTERM', pass);
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code, signal) => {
      settle();
      if (ending) process.exit(128 + constants.signals[ending]);
      resolve(signal ? 128 + constants.signals[signal] : (code ?? 1));
    });
  });
}

/** Runs one of our Node programs to its end; its exit code becomes ours. */
export async function runNode(file, args) {
  process.exitCode = await run(process.execPath, [inRoot(file), ...args]);
}

/**
 * Continues as another program in this very process: it gets the signals and gives the exit code itself, and there is
 * no child that could be left behind.
 */
export async function become(file, args) {
  const path = inRoot(file);
  process.argv = [process.argv[0], path, ...args];
  await import(pathToFileURL(path).href);
}
