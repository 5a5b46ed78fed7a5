import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';

/** Ids in one request, which every server takes. */
const BATCH = 500;

/** `messagebox ack <ids…>`. */
export function addAckCommand(program: Command, io: CliIo): void {
  const command = program
    .command('ack')
    .summary('acknowledge messages, which deletes them')
    .description('Acknowledges messages: the server deletes them. Acknowledge only what you have.')
    .argument('<ids...>', 'the ids of the messages')
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox ack 5f0c…\n  $ messagebox list inbox | jq -r .messageId | xargs messagebox ack',
    );
  addClientOptions(command).action(async (ids: string[], options: ClientOptions) => {
    const { client } = await openClient(io, options);
    for (let at = 0; at < ids.length; at += BATCH) {
      await client.post('/acknowledgeMessage', { messageIds: ids.slice(at, at + BATCH) });
    }
    const printer = new Printer(io);
    if (options.json === true) printer.json({ acknowledged: ids });
    else printer.note(`Acknowledged ${ids.length} message${ids.length === 1 ? '' : 's'}.`);
  });
}
