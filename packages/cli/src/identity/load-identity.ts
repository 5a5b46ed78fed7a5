import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { type Identity, parsePrivateKey } from './identity.js';
import { findKeyFile, isReadableByOthers, readKeyFile } from './key-file.js';

/**
 * The identity to act as: `--key-file`, or MESSAGEBOX_KEY, or the user's own key file.
 *
 * @throws {CliError} when there is none, or when it can't be read
 */
export async function loadIdentity(io: CliIo, keyFile: string | undefined): Promise<Identity> {
  const identity = await findIdentity(io, keyFile);
  if (identity === undefined) {
    throw new CliError(EXIT.usage, `There is no identity yet: ${findKeyFile(io, keyFile)} does not exist.`, {
      advice: 'Make one with: messagebox identity new',
    });
  }
  return identity;
}

/** As {@link loadIdentity}. @returns undefined when there is none */
export async function findIdentity(io: CliIo, keyFile: string | undefined): Promise<Identity | undefined> {
  const given = io.env['MESSAGEBOX_KEY'];
  if (keyFile === undefined && given !== undefined && given !== '') {
    const identity = parsePrivateKey(given, 'MESSAGEBOX_KEY');
    if (identity !== undefined) return identity;
    throw new CliError(EXIT.usage, 'MESSAGEBOX_KEY must be a private key of 64 hexadecimal characters.');
  }
  const file = findKeyFile(io, keyFile);
  const identity = await readKeyFile(file);
  if (identity !== undefined && (await isReadableByOthers(file))) {
    io.stderr.write(`Others can read ${file}, which holds a private key. Close it with: chmod 600 '${file}'\n`);
  }
  return identity;
}
