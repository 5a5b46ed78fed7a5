import type { Command } from 'commander';
import { requireSubcommand } from '../../arguments/require-subcommand.js';
import type { CliIo } from '../../io.js';
import { addFeesCommand } from './fees.js';
import { addIdentityCommands } from './identities.js';
import { addJobsCommand } from './jobs.js';
import { addRecordCommands } from './records.js';
import { addStateCommands } from './state.js';
import { addUsageCommands } from './usage.js';

/** `messagebox admin …`: for the identities in ADMIN_IDENTITY_KEYS of the server. */
export function addAdminCommand(program: Command, io: CliIo): void {
  const group = program
    .command('admin')
    .summary('what operators may see and do')
    .description(
      'For the operators of a server: the identities that its ADMIN_IDENTITY_KEYS lists. Others are refused (exit code 4).',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox admin stats --key-file operator.json\n  $ messagebox admin boxes --order bytes\n' +
        '  $ messagebox admin block 02…ab --reason spam',
    );
  for (const add of [
    addStateCommands,
    addUsageCommands,
    addIdentityCommands,
    addJobsCommand,
    addRecordCommands,
    addFeesCommand,
  ]) {
    add(group, io);
  }
  requireSubcommand(group);
}
