import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../../arguments/client-options.js';
import { parseWholeNumber } from '../../arguments/parsers.js';
import { requireSubcommand } from '../../arguments/require-subcommand.js';
import { getList, getNumber, getText } from '../../client/fields.js';
import type { CliIo } from '../../io.js';
import { Printer } from '../../output/printer.js';

/** `admin fees list|set`. */
export function addFeesCommand(group: Command, io: CliIo): void {
  const fees = group.command('fees').description('The delivery fees of the server, for each box name.');
  addClientOptions(fees.command('list'))
    .description('Lists the delivery fees.')
    .action(async (options: ClientOptions) => {
      const { client } = await openClient(io, options);
      printFees(io, options, getList(await client.get('/admin/fees'), 'fees'));
    });
  addClientOptions(
    fees
      .command('set')
      .argument('<box>', 'the name of the boxes')
      .argument('<satoshis>', 'the fee', parseWholeNumber(0, 2_147_483_647)),
  )
    .description('Sets the delivery fee of all boxes of this name.')
    .action(async (messageBox: string, deliveryFee: number, options: ClientOptions) => {
      const { client } = await openClient(io, options);
      await client.put('/admin/fees', { messageBox, deliveryFee });
      printFees(io, options, [{ messageBox, deliveryFee }]);
    });
  requireSubcommand(fees);
}

function printFees(io: CliIo, options: ClientOptions, fees: readonly unknown[]): void {
  const printer = new Printer(io);
  if (options.json === true) {
    printer.json(fees);
    return;
  }
  printer.table(
    ['SATOSHIS', 'BOX'],
    fees.map((fee) => [getNumber(fee, 'deliveryFee') ?? 0, getText(fee, 'messageBox')]),
  );
}
