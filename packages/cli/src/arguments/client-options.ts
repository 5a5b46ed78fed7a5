import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import { ServerClient } from '../client/server-client.js';
import { EXIT } from '../exit-codes.js';
import type { Identity } from '../identity/identity.js';
import { loadIdentity } from '../identity/load-identity.js';
import type { CliIo } from '../io.js';
import { parseSeconds } from './parsers.js';

/** Options of every command that talks to a server. */
export interface ClientOptions {
  readonly server?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

export const DEFAULT_SERVER = 'http://localhost:8080';

/** Adds the options that all commands with an identity and a server have. */
export function addClientOptions(command: Command): Command {
  return command
    .option('-s, --server <url>', `the server, with its path prefix (default: MESSAGEBOX_URL, or ${DEFAULT_SERVER})`)
    .option('-k, --key-file <path>', 'the identity to act as (default: MESSAGEBOX_KEY, or your own key file)')
    .option('--json', 'print JSON')
    .option('--timeout <seconds>', 'how long a request may take', parseSeconds, 30_000);
}

/** The server that a command means, without a slash at the end. @throws {CliError} when it is no http or https URL */
export function findServerUrl(io: CliIo, given: string | undefined): string {
  const text = given ?? (io.env['MESSAGEBOX_URL'] || DEFAULT_SERVER);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search + url.hash + url.username !== '') {
    const name = given === undefined ? 'MESSAGEBOX_URL' : '--server';
    throw new CliError(EXIT.usage, `${name} must be a URL such as https://messagebox.example`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** The identity and the connection that a command's options name. */
export async function openClient(
  io: CliIo,
  options: ClientOptions,
): Promise<{ readonly client: ServerClient; readonly identity: Identity }> {
  const url = findServerUrl(io, options.server);
  const identity = await loadIdentity(io, options.keyFile);
  const client = new ServerClient({ url, wallet: identity.wallet, timeoutMs: options.timeout, signal: io.signal });
  return { client, identity };
}
