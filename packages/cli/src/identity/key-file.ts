import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { createIdentity, type Identity, parsePrivateKey } from './identity.js';

const FORMAT_VERSION = 1;

/** The path of the key file: `--key-file`, or `messagebox/identity.json` in the user's folder for configuration. */
export function findKeyFile(io: Pick<CliIo, 'env' | 'cwd'>, given: string | undefined): string {
  if (given !== undefined) return path.resolve(io.cwd, given);
  const configured = io.env['XDG_CONFIG_HOME'];
  // The XDG specification says that a relative path is to be ignored.
  const folder =
    configured !== undefined && path.isAbsolute(configured)
      ? configured
      : path.join(io.env['HOME'] ?? os.homedir(), '.config');
  return path.join(folder, 'messagebox', 'identity.json');
}

/**
 * Makes a new identity and keeps it in a file that only its owner can read. An existing file is never replaced.
 *
 * @throws {CliError} when the file exists or can't be written
 */
export async function createKeyFile(file: string): Promise<Identity> {
  const identity = createIdentity(file);
  const { identityKey, privateKey } = identity;
  const text = `${JSON.stringify({ version: FORMAT_VERSION, identityKey, privateKey }, undefined, 2)}\n`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
    // The umask may have taken more than it should; the owner must be able to read the file.
    await chmod(file, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new CliError(EXIT.failed, `${file} exists already, and is not replaced: its identity would be lost.`, {
        advice: 'Use --key-file for another identity.',
      });
    }
    throw new CliError(EXIT.failed, `The identity can't be kept in ${file} (${code}).`, { cause: error });
  }
  return identity;
}

/**
 * Reads an identity from a key file.
 *
 * @returns undefined when there is no such file
 * @throws {CliError} when it can't be read or holds no key. The message never has its content.
 */
export async function readKeyFile(file: string): Promise<Identity | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new CliError(EXIT.usage, `The key file ${file} can't be read (${code}).`, { cause: error });
  }
  const identity = parsePrivateKey(findPrivateKey(text), file);
  if (identity === undefined) {
    throw new CliError(EXIT.usage, `${file} holds no identity.`, {
      advice: 'Make another one with: messagebox identity new --key-file FILE',
    });
  }
  return identity;
}

/** Whether others than the owner may read a key file. Windows has no such modes. */
export async function isReadableByOthers(file: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const { mode } = await stat(file);
  return (mode & 0o077) !== 0;
}

/** A key file of this command is JSON. A file with nothing but the key, such as the server's own, is taken as well. */
function findPrivateKey(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const key = (value as { privateKey?: unknown } | null)?.privateKey;
    return typeof key === 'string' ? key : '';
  } catch {
    return text;
  }
}
