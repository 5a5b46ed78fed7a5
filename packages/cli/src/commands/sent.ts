import { type Command, Option } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { parseIdentityKey } from '../arguments/parsers.js';
import { getList, getText } from '../client/fields.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';

interface SentOptions extends ClientOptions {
  readonly recipient?: string;
}

/** Ids in one request, which every server takes. */
const BATCH = 500;

/** `messagebox sent <ids…>`. */
export function addSentCommand(program: Command, io: CliIo): void {
  const command = program
    .command('sent')
    .summary('show what has become of messages that you have sent')
    .description(
      'Shows for each id whether the message is stored, acknowledged or expired. Unknown is what you have not sent, what the ' +
        'server has forgotten, and what its recipient does not want to be told.',
    )
    .argument('<ids...>', 'the ids of the messages')
    .addOption(new Option('--recipient <key>', 'only what was sent to this identity').argParser(parseIdentityKey))
    .addHelpText('after', '\nExample:\n  $ messagebox sent 5f0c…');
  addClientOptions(command).action(async (ids: string[], options: SentOptions) => {
    const { client } = await openClient(io, options);
    const { recipient } = options;
    const statuses: unknown[] = [];
    for (let at = 0; at < ids.length; at += BATCH) {
      const messageIds = ids.slice(at, at + BATCH);
      const answer = await client.post('/sentStatus', {
        messageIds,
        ...(recipient === undefined ? {} : { recipient }),
      });
      statuses.push(...getList(answer, 'statuses'));
    }
    const printer = new Printer(io);
    if (options.json === true) return printer.json(statuses);
    printer.table(
      ['ID', 'STATE', 'RECIPIENT'],
      statuses.map((status) => [
        getText(status, 'messageId'),
        getText(status, 'state'),
        getText(status, 'recipient') || '-',
      ]),
    );
  });
}
