import { type Command, Option } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../../arguments/client-options.js';
import { parseWholeNumber } from '../../arguments/parsers.js';
import { getList, getNumber, getText } from '../../client/fields.js';
import type { CliIo } from '../../io.js';
import { formatBytes } from '../../output/format.js';
import { Printer } from '../../output/printer.js';

interface UsageOptions extends ClientOptions {
  readonly order: string;
  readonly limit: number;
  readonly after?: string;
}

/** `admin boxes` and `admin senders`: who uses most, by key and never with bodies. */
export function addUsageCommands(group: Command, io: CliIo): void {
  addUsage(group, io, 'boxes', 'Lists the largest boxes.');
  addUsage(group, io, 'senders', 'Lists those who have sent most of what is stored.');
}

function addUsage(group: Command, io: CliIo, name: 'boxes' | 'senders', description: string): void {
  addClientOptions(
    group
      .command(name)
      .addOption(new Option('--order <by>', 'largest first, by').choices(['bytes', 'messages']).default('bytes'))
      .option('-n, --limit <number>', 'at most so many', parseWholeNumber(1, 100), 20)
      .option('--after <cursor>', 'go on after this cursor'),
  )
    .description(description)
    .action(async (options: UsageOptions) => {
      const { client } = await openClient(io, options);
      const { order, limit, after } = options;
      const answer = await client.get(`/admin/${name}`, { order, limit, after });
      const printer = new Printer(io);
      if (options.json === true) return printer.json(answer);
      const isBoxes = name === 'boxes';
      printer.table(
        ['MESSAGES', 'BYTES', 'IDENTITY', ...(isBoxes ? ['BOX'] : []), 'OLDEST'],
        getList(answer, name).map((row) => [
          getNumber(row, 'messages') ?? 0,
          formatBytes(getNumber(row, 'bytes')),
          getText(row, 'identityKey') || getText(row, 'sender'),
          ...(isBoxes ? [getText(row, 'messageBox')] : []),
          getText(row, 'oldest') || '-',
        ]),
      );
      const next = getText(answer, 'next');
      if (next !== '') printer.note(`There are more: --after '${next}'`);
    });
}
