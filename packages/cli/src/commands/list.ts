import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { parseWholeNumber } from '../arguments/parsers.js';
import { getField, getList, getText } from '../client/fields.js';
import { readBody } from '../client/message-crypto.js';
import type { ServerClient } from '../client/server-client.js';
import type { CliIo } from '../io.js';
import { type PrintedMessage, printMessage, printMessageJson } from '../output/print-message.js';
import { Printer } from '../output/printer.js';
import { startProgress } from '../output/progress.js';
import { formatCount } from './boxes.js';

interface ListOptions extends ClientOptions {
  readonly limit: number;
  readonly count?: boolean;
}

/** Small enough for one answer to be verified soon, and large enough for few requests. */
const PAGE_MESSAGES = 1_000;

/** `messagebox list <box>`. */
export function addListCommand(program: Command, io: CliIo): void {
  const command = program
    .command('list')
    .summary('list the messages in a box')
    .description('Lists your messages in a box, oldest first. They stay there until you acknowledge them.')
    .argument('<box>', 'the message box, such as inbox')
    .option('-n, --limit <number>', 'at most so many messages', parseWholeNumber(1, 1_000_000), 1_000_000)
    .option('--count', 'only say how many there are')
    .addHelpText(
      'after',
      '\nWith --json, or when the output is piped, each message is one line of JSON.\n\nExamples:\n' +
        '  $ messagebox list inbox\n  $ messagebox list inbox | jq -r .body',
    );
  addClientOptions(command).action(async (box: string, options: ListOptions) => {
    const { client, identity } = await openClient(io, options);
    const printer = new Printer(io);
    if (options.count === true) {
      const { status, messages, hasMore, ...counted } = (await client.post('/listMessages', {
        messageBox: box,
        countOnly: true,
      })) as Record<string, unknown>;
      if (options.json === true) printer.json(counted);
      else printer.line(formatCount(counted));
      return;
    }
    const isJson = options.json === true || io.stdout.isTTY !== true;
    const progress = startProgress(io, 'Listing');
    let count = 0;
    try {
      for await (const message of readMessages(client, box, options.limit)) {
        const printed: PrintedMessage = {
          messageBox: box,
          messageId: getText(message, 'messageId'),
          sender: getText(message, 'sender'),
          createdAt: getText(message, 'createdAt') || undefined,
          expiresAt: getText(message, 'expiresAt') || undefined,
          ...(await readBody(identity.wallet, { sender: getText(message, 'sender'), body: getText(message, 'body') })),
        };
        count += 1;
        if (isJson) printMessageJson(printer, printed);
        else {
          progress.end();
          printMessage(printer, printed);
        }
      }
    } finally {
      progress.end();
    }
    if (!isJson) printer.note(count === 0 ? 'No messages.' : `${count} message${count === 1 ? '' : 's'}.`);
  });
}

async function* readMessages(client: ServerClient, messageBox: string, limit: number): AsyncGenerator<unknown> {
  let left = limit;
  let after: unknown;
  do {
    const page = await client.post('/listMessages', {
      messageBox,
      limit: Math.min(left, PAGE_MESSAGES),
      ...(after === undefined ? {} : { after }),
    });
    const messages = getList(page, 'messages');
    yield* messages;
    left -= messages.length;
    after = getField(page, 'hasMore') === true && messages.length > 0 ? getField(page, 'next') : undefined;
  } while (after !== undefined && after !== null && left > 0);
}
