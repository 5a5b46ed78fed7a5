import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../../arguments/client-options.js';
import { parseWholeNumber } from '../../arguments/parsers.js';
import { getField, getList, getText } from '../../client/fields.js';
import type { CliIo } from '../../io.js';
import { Printer } from '../../output/printer.js';

interface AuditOptions extends ClientOptions {
  readonly limit: number;
  readonly after?: string;
}

/** `admin audit`, `admin config` and `admin advertisements`. */
export function addRecordCommands(group: Command, io: CliIo): void {
  addClientOptions(
    group
      .command('audit')
      .option('-n, --limit <number>', 'at most so many', parseWholeNumber(1, 100), 50)
      .option('--after <cursor>', 'go on after this cursor'),
  )
    .description('Shows what operators did, newest first.')
    .action(async (options: AuditOptions) => {
      const { client } = await openClient(io, options);
      const { limit, after } = options;
      const answer = await client.get('/admin/audit', { limit, after });
      const printer = new Printer(io);
      if (options.json === true) return printer.json(answer);
      printer.table(
        ['TIME', 'ACTION', 'SUBJECT', 'OPERATOR', 'DETAILS'],
        getList(answer, 'entries').map((entry) => [
          ...['time', 'action', 'subject', 'operator'].map((field) => getText(entry, field) || '-'),
          toText(getField(entry, 'details')),
        ]),
      );
      const next = getText(answer, 'next');
      if (next !== '') printer.note(`There are more: --after '${next}'`);
    });
  for (const [name, description] of [
    ['config', 'Shows the configuration. Of secrets it says only whether they are set.'],
    ['advertisements', 'Shows what the overlay advertises.'],
  ] as const) {
    addClientOptions(group.command(name))
      .description(description)
      .action(async (options: ClientOptions) => {
        const { client } = await openClient(io, options);
        const answer = await client.get(`/admin/${name}`);
        const printer = new Printer(io);
        if (options.json === true) return printer.json(answer);
        const entries = Object.entries(answer as object).filter(([field]) => field !== 'status');
        printer.facts(Object.fromEntries(entries.flatMap(([field, value]) => flatten(field, value))));
      });
  }
}

/** The leaves of a value by their paths. */
function flatten(path: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, toText(value)]];
  return Object.entries(value).flatMap(([name, field]) => flatten(`${path}.${name}`, field));
}

function toText(value: unknown): string {
  if (value === undefined || value === null) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
