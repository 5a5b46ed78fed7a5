import { type Command, Option } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../arguments/client-options.js';
import { requireSubcommand } from '../arguments/require-subcommand.js';
import { getField, getList, getText } from '../client/fields.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';

interface RegisterOptions extends ClientOptions {
  readonly deviceId?: string;
  readonly platform?: string;
}

/** `messagebox devices list|register|unregister`. */
export function addDevicesCommand(program: Command, io: CliIo): void {
  const group = program
    .command('devices')
    .summary('list, register or unregister devices for notifications')
    .description('Devices get a notification for each message in the boxes that the server pushes from.');
  addClientOptions(group.command('list'))
    .description('Lists your devices: active ones first, then by last use.')
    .action(async (options: ClientOptions) => {
      const { client } = await openClient(io, options);
      const devices = getList(await client.get('/devices'), 'devices');
      const printer = new Printer(io);
      if (options.json === true) return printer.json(devices);
      printer.table(
        ['ID', 'PLATFORM', 'DEVICE', 'TOKEN', 'ACTIVE', 'LAST USED'],
        devices.map((device) => [
          getText(device, 'id'),
          getText(device, 'platform') || '-',
          getText(device, 'deviceId') || '-',
          getText(device, 'fcmToken'),
          getField(device, 'active') === true ? 'yes' : 'no',
          getText(device, 'lastUsed'),
        ]),
      );
    });
  addClientOptions(
    group
      .command('register')
      .argument('<token>', 'the registration token of Firebase Cloud Messaging')
      .option('--device-id <id>', 'a name of your own for the device')
      .addOption(new Option('--platform <name>', 'its platform').choices(['ios', 'android', 'web'])),
  )
    .description('Registers a device.')
    .action(async (fcmToken: string, options: RegisterOptions) => {
      const { client } = await openClient(io, options);
      const { deviceId, platform } = options;
      const answer = await client.post('/registerDevice', {
        fcmToken,
        ...(deviceId === undefined ? {} : { deviceId }),
        ...(platform === undefined ? {} : { platform }),
      });
      const printer = new Printer(io);
      if (options.json === true) printer.json({ deviceId: getField(answer, 'deviceId') });
      else printer.facts({ registration: getText(answer, 'deviceId') });
    });
  addClientOptions(group.command('unregister').argument('<token>', 'the token that was registered'))
    .description('Ends your registration of a device. Other identities keep theirs.')
    .action(async (fcmToken: string, options: ClientOptions) => {
      const { client } = await openClient(io, options);
      await client.post('/unregisterDevice', { fcmToken });
      const printer = new Printer(io);
      if (options.json === true) printer.json({ unregistered: true });
      else printer.facts({ registration: 'ended' });
    });
  requireSubcommand(group);
}
