import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';

/** Answers a group of commands without a subcommand with its help, as a wrong use. */
export function requireSubcommand(group: Command): void {
  group.action(() => {
    group.outputHelp({ error: true });
    throw new CliError(EXIT.usage, '');
  });
}
