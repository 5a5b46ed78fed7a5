import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, findServerUrl } from '../arguments/client-options.js';
import { CliError } from '../cli-error.js';
import { getList, getText } from '../client/fields.js';
import { fetchHealth } from '../client/health.js';
import { ServerClient } from '../client/server-client.js';
import { describeServerInfo, fetchServerInfo } from '../client/server-info.js';
import { EXIT } from '../exit-codes.js';
import { createIdentity } from '../identity/identity.js';
import { findIdentity } from '../identity/load-identity.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';
import { CLI_VERSION } from '../version.js';

/** `messagebox status`. */
export function addStatusCommand(program: Command, io: CliIo): void {
  const command = program
    .command('status')
    .summary('show the state of a server')
    .description(
      'Shows whether the server is ready, its identity, its limits, and how fast it answers; to operators also the ' +
        'versions of its instances. Exit code 1: it is not ready.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox status\n  $ messagebox status --server https://messagebox.example --json',
    );
  addClientOptions(command).action(async (options: ClientOptions) => {
    const url = findServerUrl(io, options.server);
    const health = await fetchHealth(url, options.timeout, io.signal);
    // Anybody may ask, so an identity that nobody knows will do.
    const identity = await findIdentity(io, options.keyFile);
    const { wallet } = identity ?? createIdentity('random');
    const client = new ServerClient({ url, wallet, timeoutMs: options.timeout, signal: io.signal });
    await client.get('/permissions/list', { limit: 1 });
    const from = performance.now();
    await client.get('/permissions/list', { limit: 1 });
    const roundTripMs = Math.round(performance.now() - from);
    const instances = await listInstances(client);
    const info = await fetchServerInfo(url, options.timeout, io.signal);
    const facts = {
      url,
      ready: health.isReady,
      checks: health.checks,
      identityKey: client.serverIdentityKey ?? null,
      roundTripMs,
      info: info ?? null,
      operator: instances !== undefined,
      instances: instances ?? [],
      cliVersion: CLI_VERSION,
      ownIdentityKey: identity?.identityKey ?? null,
    };
    const printer = new Printer(io);
    if (options.json === true) printer.json(facts);
    else {
      printer.facts({
        server: url,
        state: health.isReady ? 'ready' : 'not ready',
        ...health.checks,
        identity: facts.identityKey ?? undefined,
        answers: `in ${roundTripMs} ms`,
        ...describeServerInfo(info),
        you: identity?.identityKey,
        'command line': CLI_VERSION,
      });
      for (const instance of facts.instances) {
        printer.facts({
          [getText(instance, 'service')]: `${getText(instance, 'version')} ${getText(instance, 'state')}`,
        });
      }
    }
    if (!health.isReady) throw new CliError(EXIT.failed, '');
  });
}

/** @returns undefined when the caller is no operator, or the server has no such route */
async function listInstances(client: ServerClient): Promise<readonly unknown[] | undefined> {
  try {
    return getList(await client.get('/admin/instances'), 'instances');
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.refused) return undefined;
    throw error;
  }
}
