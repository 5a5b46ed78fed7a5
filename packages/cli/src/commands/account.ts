import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { confirm } from '../arguments/confirm.js';
import { requireSubcommand } from '../arguments/require-subcommand.js';
import { CliError } from '../cli-error.js';
import { getField, getList, getNumber, getText } from '../client/fields.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { formatNumber } from '../output/format.js';
import { toInertJson } from '../output/inert-text.js';
import { Printer } from '../output/printer.js';
import { startProgress } from '../output/progress.js';

interface AccountOptions extends ClientOptions {
  readonly out?: string;
  readonly yes?: boolean;
  readonly includePayments?: boolean;
}

/** `messagebox account export|delete`. */
export function addAccountCommand(program: Command, io: CliIo): void {
  const group = program
    .command('account')
    .summary('export or delete all of your data')
    .description('What the server keeps about you: messages, permissions, devices.');
  addClientOptions(
    group.command('export').option('-o, --out <file>', 'write to this new file (default: standard output)'),
  )
    .description('Exports everything, as lines of JSON. Bodies are as stored: encrypted ones stay encrypted.')
    .addHelpText('after', '\nExample:\n  $ messagebox account export --out messages.ndjson')
    .action(async (options: AccountOptions) => exportAccount(io, options));
  addClientOptions(
    group
      .command('delete')
      .option('-y, --yes', 'do not ask')
      .option('--include-payments', 'also messages that carry a payment: their money is lost for you'),
  )
    .description('Deletes everything that the server keeps about you. This can not be undone.')
    .action(async (options: AccountOptions) => {
      const { client, identity } = await openClient(io, options);
      const { identityKey } = identity;
      if (options.yes !== true)
        await confirm(io, `This deletes all data of ${identityKey} at ${client.url} for good.`, 'delete');
      const answer = await client.post('/account/delete', {
        confirm: identityKey,
        ...(options.includePayments === true ? { includePayments: true } : {}),
      });
      const printer = new Printer(io);
      if (options.json === true) return printer.json(answer);
      const removed = getField(answer, 'removed');
      printer.note(`Deleted, among them ${formatNumber(getNumber(removed, 'messages'))} messages.`);
      const kept = getList(answer, 'keptPayments');
      if (kept.length === 0) return;
      printer.note(
        'These messages carry a payment, and were kept. List them with your wallet, or say --include-payments:',
      );
      printer.table(
        ['BOX', 'SENDER', 'ID'],
        kept.map((message) => ['messageBox', 'sender', 'messageId'].map((field) => getText(message, field))),
      );
    });
  requireSubcommand(group);
}

/** Exports page by page: a signed answer is complete before it is sent, so the server sends an export in several. */
async function exportAccount(io: CliIo, options: AccountOptions): Promise<void> {
  const { client } = await openClient(io, options);
  const output = await openOutput(io, options.out);
  const progress = startProgress(io, 'Exporting');
  let count = 0;
  try {
    for (let after: unknown = null; after !== undefined; ) {
      const text = await client.postForText('/account/export', after === null ? {} : { after });
      const lines = text.split('\n').filter((line) => line !== '');
      const end = parseLine(lines.pop() ?? '');
      if (getText(end, 'type') !== 'end')
        throw new CliError(EXIT.failed, 'The export is not complete: its end is missing.');
      for (const line of lines) await output.write(parseLine(line));
      count += lines.length;
      progress.update(`${formatNumber(count)} records`);
      after = getText(end, 'next') || undefined;
    }
  } finally {
    progress.end();
    await output.close();
  }
  new Printer(io).note(`Exported ${formatNumber(count)} records.`);
}

interface Output {
  write(record: unknown): Promise<void>;
  close(): Promise<void>;
}

/** A new file that only its owner can read, or the standard output. */
async function openOutput(io: CliIo, out: string | undefined): Promise<Output> {
  if (out === undefined) {
    // In a terminal, bodies of strangers do nothing this way. The values are the same.
    return { write: async (record) => new Printer(io).json(record), close: async () => undefined };
  }
  const file = path.resolve(io.cwd, out);
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'it exists already' : error.code;
    throw new CliError(EXIT.usage, `${file} can't be written: ${reason}.`, { cause: error });
  });
  return { write: (record) => handle.appendFile(`${toInertJson(record)}\n`), close: () => handle.close() };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new CliError(EXIT.failed, 'The export has a line that is no JSON.');
  }
}
