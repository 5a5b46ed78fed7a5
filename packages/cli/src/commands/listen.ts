import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { parseWholeNumber } from '../arguments/parsers.js';
import { listenLive } from '../client/live-listener.js';
import { readBody } from '../client/message-crypto.js';
import type { CliIo } from '../io.js';
import { printMessage, printMessageJson } from '../output/print-message.js';
import { Printer } from '../output/printer.js';

interface ListenOptions extends ClientOptions {
  readonly stored?: boolean;
  readonly ack?: boolean;
  readonly count?: number;
}

/** `messagebox listen <boxes…>`. */
export function addListenCommand(program: Command, io: CliIo): void {
  const command = program
    .command('listen')
    .summary('print messages as they arrive')
    .description(
      'Prints your messages as they arrive, until Ctrl-C, which is the usual end (exit code 0). After a lost connection it ' +
        'goes on where it was. Messages that carry a payment do not come live: list them.',
    )
    .argument('<boxes...>', 'the message boxes')
    .option('--stored', 'print what is in the boxes already, first')
    .option('--ack', 'acknowledge each message when it is printed, which deletes it at the server')
    .option('-n, --count <number>', 'end after so many messages', parseWholeNumber(1, 1_000_000_000))
    .addHelpText(
      'after',
      '\nWith --json, or when the output is piped, each message is one line of JSON.\n\nExamples:\n' +
        '  $ messagebox listen inbox alerts\n  $ messagebox listen jobs --ack | while read -r line; do ./work "$line"; done',
    );
  addClientOptions(command).action(async (boxes: string[], options: ListenOptions) => listen(io, boxes, options));
}

async function listen(io: CliIo, boxes: readonly string[], options: ListenOptions): Promise<void> {
  const { client, identity } = await openClient(io, options);
  const printer = new Printer(io);
  const print = options.json === true || io.stdout.isTTY !== true ? printMessageJson : printMessage;
  // The socket does not tell why it can not connect, so the server is asked over HTTP first.
  await client.post('/listMessages', { messageBox: boxes[0], limit: 1 });
  let count = 0;
  /** Messages are decrypted and printed one after the other, so that they stay in order. */
  let printed: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const end = () => {
      disconnect();
      resolve();
    };
    const disconnect = listenLive({
      url: client.url,
      identity,
      boxes,
      fromStart: options.stored === true,
      timeoutMs: options.timeout,
      onFailure: reject,
      onState: (state) =>
        printer.note(
          state === 'listening' ? `Listening to ${client.url}` : 'The connection was lost. Connecting again …',
        ),
      onMessage: (message) => {
        printed = printed.then(async () => {
          if (count === options.count) return;
          print(printer, { ...message, ...(await readBody(identity.wallet, message)) });
          count += 1;
          if (options.ack === true) await client.post('/acknowledgeMessage', { messageIds: [message.messageId] });
          if (count === options.count) end();
        });
        printed.catch((error: unknown) => {
          disconnect();
          reject(error);
        });
      },
    });
    if (io.signal?.aborted === true) end();
    else io.signal?.addEventListener('abort', end, { once: true });
  });
}
