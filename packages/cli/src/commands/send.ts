import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { parseIdentityKey } from '../arguments/parsers.js';
import { CliError } from '../cli-error.js';
import { encryptBody } from '../client/message-crypto.js';
import { EXIT } from '../exit-codes.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';
import { readText } from '../read-text.js';

interface SendOptions extends ClientOptions {
  readonly plain?: boolean;
  readonly id?: string;
  readonly expires?: string;
}

/** `messagebox send <recipient> <box> [text]`. */
export function addSendCommand(program: Command, io: CliIo): void {
  const command = program
    .command('send')
    .summary('send a message')
    .description(
      'Sends a message. Only its recipient can read it, unless --plain is given. Messages that cost something are refused: ' +
        'the command line has no wallet with money.',
    )
    .argument('<recipient>', 'the identity key of the recipient', parseIdentityKey)
    .argument('<box>', 'the message box, such as inbox')
    .argument('[text]', 'the text; "-" or nothing reads it from the standard input')
    .option('--plain', 'do not encrypt the text')
    .option('--id <id>', 'the id of the message (default: a random one); a repeat with the same id is stored once')
    .option('--expires <time>', 'when it expires, such as 2027-01-31T12:00:00Z')
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox send 02…ab inbox "See you at noon"\n  $ uptime | messagebox send 02…ab reports',
    );
  addClientOptions(command).action(
    async (recipient: string, box: string, text: string | undefined, options: SendOptions) => {
      const { client, identity } = await openClient(io, options);
      const body = text === undefined || text === '-' ? await readText(io) : text;
      if (body === '') throw new CliError(EXIT.usage, 'The message has no text.');
      const messageId = options.id ?? randomBytes(32).toString('hex');
      const message = {
        recipient,
        messageBox: box,
        messageId,
        body: options.plain === true ? body : await encryptBody(identity.wallet, recipient, body),
        ...(options.expires === undefined ? {} : { expiresAt: options.expires }),
      };
      await client.post('/sendMessage', { message }).catch((error: unknown) => {
        throw explainPrice(error);
      });
      const printer = new Printer(io);
      if (options.json === true) printer.json({ messageId, recipient, messageBox: box });
      else printer.facts({ 'message id': messageId });
    },
  );
}

function explainPrice(error: unknown): unknown {
  const unpaid = ['ERR_MISSING_PAYMENT_TX', 'ERR_MISSING_DELIVERY_OUTPUT', 'ERR_INSUFFICIENT_PAYMENT'];
  if (!(error instanceof CliError) || !unpaid.includes(error.details.code ?? '')) return error;
  return new CliError(error.exitCode, error.message, {
    ...error.details,
    advice: 'This message costs something (messagebox quote says how much), and the command line can not pay.',
  });
}
