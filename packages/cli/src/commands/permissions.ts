import { type Command, Option } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { parseFee, parseIdentityKey, parseWholeNumber } from '../arguments/parsers.js';
import { requireSubcommand } from '../arguments/require-subcommand.js';
import { getField, getList, getNumber, getText } from '../client/fields.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';

interface PermissionOptions extends ClientOptions {
  readonly sender?: string;
  readonly box?: string;
  readonly limit: number;
  readonly offset: number;
  readonly receipts?: 'on' | 'off';
}

/** `messagebox permissions get|list|set`. */
export function addPermissionsCommand(program: Command, io: CliIo): void {
  const group = program
    .command('permissions')
    .summary('decide who may write to you, and for how much')
    .description(
      'Decides who may write into your boxes. A rule for a sender comes before the rule for all senders of the box.',
    );
  const sender = () => new Option('--sender <key>', 'the sender (default: all senders)').argParser(parseIdentityKey);

  addClientOptions(group.command('get').argument('<box>').addOption(sender()))
    .description('Shows one permission.')
    .action(async (messageBox: string, options: PermissionOptions) => {
      const { client } = await openClient(io, options);
      const answer = await client.get('/permissions/get', { messageBox, sender: options.sender });
      const permission = getField(answer, 'permission') ?? null;
      const printer = new Printer(io);
      if (options.json === true) printer.json(permission);
      else if (permission === null) printer.note('It is not set.');
      else printPermissions(printer, [permission]);
    });

  addClientOptions(
    group
      .command('list')
      .option('--box <name>', 'only of this box')
      .option('-n, --limit <number>', 'at most so many', parseWholeNumber(1, 1_000), 100)
      .option('--offset <number>', 'leave out so many', parseWholeNumber(0, 1_000_000), 0),
  )
    .description('Lists your permissions, newest first.')
    .action(async (options: PermissionOptions) => {
      const { client } = await openClient(io, options);
      const { box: messageBox, limit, offset } = options;
      const answer = await client.get('/permissions/list', { messageBox, limit, offset });
      const permissions = getList(answer, 'permissions');
      const printer = new Printer(io);
      if (options.json === true) printer.json(permissions);
      else printPermissions(printer, permissions);
    });

  addClientOptions(
    group
      .command('set')
      .argument('<box>', 'the message box')
      .argument('<fee>', 'allow, block, or a fee in satoshis', parseFee)
      .addOption(sender())
      .addOption(
        new Option('--receipts <choice>', 'whether senders may ask what becomes of their messages').choices([
          'on',
          'off',
        ]),
      ),
  )
    .description('Sets a permission.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox permissions set inbox block --sender 02…ab\n  $ messagebox permissions set inbox 1000',
    )
    .action(async (messageBox: string, recipientFee: number, options: PermissionOptions) => {
      const { client } = await openClient(io, options);
      const { sender: from } = options;
      const receipts = options.receipts === undefined ? {} : { receipts: options.receipts === 'on' };
      await client.post('/permissions/set', {
        messageBox,
        recipientFee,
        ...(from === undefined ? {} : { sender: from }),
        ...receipts,
      });
      const printer = new Printer(io);
      if (options.json === true) printer.json({ messageBox, sender: from ?? null, recipientFee, ...receipts });
      else printPermissions(printer, [{ messageBox, sender: from, recipientFee, ...receipts }]);
    });
  requireSubcommand(group);
}

function printPermissions(printer: Printer, permissions: readonly unknown[]): void {
  printer.table(
    ['BOX', 'FEE', 'RECEIPTS', 'SENDER'],
    permissions.map((permission) => [
      getText(permission, 'messageBox'),
      describeFee(getNumber(permission, 'recipientFee')),
      describeReceipts(getField(permission, 'receipts')),
      getText(permission, 'sender') || 'all',
    ]),
  );
}

function describeReceipts(receipts: unknown): string {
  if (typeof receipts !== 'boolean') return '-';
  return receipts ? 'on' : 'off';
}

function describeFee(fee: number | undefined): string {
  if (fee === undefined) return '?';
  if (fee < 0) return 'blocked';
  return fee === 0 ? 'free' : `${fee} satoshis`;
}
