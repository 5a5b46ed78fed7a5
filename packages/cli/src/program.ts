import { Command } from 'commander';
import { addAccountCommand } from './commands/account.js';
import { addAckCommand } from './commands/ack.js';
import { addAdminCommand } from './commands/admin/index.js';
import { addBoxesCommand } from './commands/boxes.js';
import { addDevicesCommand } from './commands/devices.js';
import { addDoctorCommand } from './commands/doctor.js';
import { addIdentityCommand } from './commands/identity.js';
import { addListCommand } from './commands/list.js';
import { addListenCommand } from './commands/listen.js';
import { addPermissionsCommand } from './commands/permissions.js';
import { addQuoteCommand } from './commands/quote.js';
import { addSendCommand } from './commands/send.js';
import { addSentCommand } from './commands/sent.js';
import { addStartCommand } from './commands/start.js';
import { addStatusCommand } from './commands/status.js';
import type { CliIo } from './io.js';
import { CLI_VERSION } from './version.js';

const FOOTER = `
First steps:
  $ messagebox start                        a server on this machine
  $ messagebox identity new                 in another terminal: an identity of your own
  $ messagebox listen inbox                 prints what arrives
  $ messagebox send KEY inbox "Hello"       KEY is an identity key

Environment:
  MESSAGEBOX_URL   the server (default: http://localhost:8080)
  MESSAGEBOX_KEY   the private key to act as, in place of the key file
  NO_COLOR         no colours
  DEBUG=messagebox shows stack traces

Exit codes: 0 done, 1 failed, 2 wrong use, 3 no server reached, 4 refused by the server, 130 interrupted.`;

/** The whole command with its subcommands. It throws `CommanderError` and {@link CliError}, and never exits the process. */
export function createProgram(io: CliIo): Command {
  const program = new Command('messagebox');
  program
    .description('Authenticated store-and-forward messages for Bitcoin SV identities.')
    .version(CLI_VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addHelpText('after', FOOTER)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    })
    .showHelpAfterError('(--help shows how it is used)');
  // Subcommands inherit these settings when they are created.
  for (const add of [
    addStartCommand,
    addIdentityCommand,
    addSendCommand,
    addListCommand,
    addBoxesCommand,
    addListenCommand,
    addAckCommand,
    addSentCommand,
    addPermissionsCommand,
    addQuoteCommand,
    addDevicesCommand,
    addStatusCommand,
    addDoctorCommand,
    addAccountCommand,
    addAdminCommand,
  ]) {
    add(program, io);
  }
  return program;
}
