import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { getField, getList, getNumber, getText } from '../client/fields.js';
import type { CliIo } from '../io.js';
import { formatBytes, formatNumber } from '../output/format.js';
import { Printer } from '../output/printer.js';

/** `messagebox boxes`. */
export function addBoxesCommand(program: Command, io: CliIo): void {
  const command = program
    .command('boxes')
    .summary('count the messages in your boxes')
    .description('Shows how many messages wait in each of your boxes. A + means that there are more.');
  addClientOptions(command).action(async (options: ClientOptions) => {
    const { client } = await openClient(io, options);
    const boxes: unknown[] = [];
    for (let after: unknown; ; ) {
      const page = await client.post('/boxStatus', { limit: 1_000, ...(after === undefined ? {} : { after }) });
      boxes.push(...getList(page, 'boxes'));
      after = getField(page, 'next');
      if (after === undefined || after === null) break;
    }
    const printer = new Printer(io);
    if (options.json === true) return printer.json(boxes);
    printer.table(
      ['BOX', 'MESSAGES', 'SIZE', 'OLDEST', 'NEWEST'],
      boxes.map((box) => [
        getText(box, 'messageBox'),
        formatCount(box),
        formatBytes(getNumber(box, 'bytes')),
        getText(box, 'oldest') || '-',
        getText(box, 'newest') || '-',
      ]),
    );
  });
}

/** The number of messages in a box, as an answer of the server says it: `3`, or `10,000+`. */
export function formatCount(box: unknown): string {
  return `${formatNumber(getNumber(box, 'count'))}${getField(box, 'atLeast') === true ? '+' : ''}`;
}
