import type { Command } from 'commander';
import { requireSubcommand } from '../arguments/require-subcommand.js';
import { createKeyFile, findKeyFile } from '../identity/key-file.js';
import { loadIdentity } from '../identity/load-identity.js';
import type { CliIo } from '../io.js';
import { Printer } from '../output/printer.js';

interface IdentityOptions {
  readonly keyFile?: string;
  readonly json?: boolean;
  readonly private?: boolean;
}

const KEY_FILE = 'the key file (default: messagebox/identity.json in XDG_CONFIG_HOME or ~/.config)';

/** `messagebox identity new|show`. */
export function addIdentityCommand(program: Command, io: CliIo): void {
  const identity = program
    .command('identity')
    .summary('make or show your identity')
    .description(
      'An identity is a key pair. Its public key is the address that others send to. The private key is kept in a file that ' +
        'only you can read, and is never printed unless you ask for it.',
    );
  identity
    .command('new')
    .description('Makes a new identity and keeps it in the key file. An existing file is never replaced.')
    .option('-k, --key-file <path>', KEY_FILE)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  $ messagebox identity new\n  $ messagebox identity new --key-file bot.json')
    .action(async (options: IdentityOptions) => {
      const file = findKeyFile(io, options.keyFile);
      const { identityKey } = await createKeyFile(file);
      print(io, options, { identityKey, keyFile: file });
      if (options.json !== true)
        new Printer(io).note(
          'Whoever has this file can read your messages. Without it nobody can. Keep a copy in a safe place.',
        );
    });
  identity
    .command('show')
    .description('Shows the identity that commands use: of --key-file, or MESSAGEBOX_KEY, or your own key file.')
    .option('-k, --key-file <path>', KEY_FILE)
    .option('--private', 'print the private key as well, which is a secret')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ messagebox identity show\n  $ messagebox identity show --json | jq -r .identityKey',
    )
    .action(async (options: IdentityOptions) => {
      const { identityKey, privateKey, source } = await loadIdentity(io, options.keyFile);
      print(io, options, { identityKey, keyFile: source, ...(options.private === true ? { privateKey } : {}) });
    });
  requireSubcommand(identity);
}

function print(io: CliIo, options: IdentityOptions, facts: Readonly<Record<string, string>>): void {
  const printer = new Printer(io);
  if (options.json === true) {
    printer.json(facts);
    return;
  }
  const { identityKey, keyFile, privateKey } = facts;
  printer.facts({ 'identity key': identityKey, 'kept in': keyFile, 'private key': privateKey });
}
