import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { parseIdentityKey } from '../arguments/parsers.js';
import { getField, getNumber } from '../client/fields.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';

/** `messagebox quote <recipient> <box>`. */
export function addQuoteCommand(program: Command, io: CliIo): void {
  const command = program
    .command('quote')
    .summary('say what a message would cost')
    .description('Says what a message would cost you: the fee of the server, and that of the recipient.')
    .argument('<recipient>', 'the identity key of the recipient', parseIdentityKey)
    .argument('<box>', 'the message box')
    .addHelpText('after', '\nExample:\n  $ messagebox quote 02…ab notifications');
  addClientOptions(command).action(async (recipient: string, messageBox: string, options: ClientOptions) => {
    const { client } = await openClient(io, options);
    const answer = await client.get('/permissions/quote', { recipient, messageBox });
    const quote = getField(answer, 'quote');
    const printer = new Printer(io);
    if (options.json === true) return printer.json(quote);
    const [delivery = 0, fee = 0] = [getNumber(quote, 'deliveryFee'), getNumber(quote, 'recipientFee')];
    if (fee < 0) return printer.line('The recipient takes no messages from you in this box.');
    printer.facts({
      server: `${delivery} satoshis`,
      recipient: `${fee} satoshis`,
      together: `${delivery + fee} satoshis`,
    });
  });
}
