import { resolve } from 'node:path';
import { type ManagedProcess, startProcess } from '@messagebox/test-support/managed-process';

const root = resolve(import.meta.dirname, '..', '..', '..');

/** The folder of an example. */
export const exampleFolder = (name: string): string => resolve(root, 'examples', name);

/**
 * Starts a program of an example, as its README says.
 *
 * @param args the file, and its arguments
 * @param env in addition to PATH and HOME
 */
export function startExample(name: string, args: readonly string[], env: Record<string, string> = {}): ManagedProcess {
  const { PATH, HOME } = process.env;
  return startProcess(process.execPath, args, { cwd: exampleFolder(name), env: { PATH, HOME, ...env } });
}
