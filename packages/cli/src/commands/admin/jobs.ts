import { type Command, Option } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../../arguments/client-options.js';
import { parseWholeNumber } from '../../arguments/parsers.js';
import { getList, getText } from '../../client/fields.js';
import type { CliIo } from '../../io.js';
import { Printer } from '../../output/printer.js';

interface JobsOptions extends ClientOptions {
  readonly state: string;
  readonly limit: number;
}

/** `admin jobs` and `admin retry`. */
export function addJobsCommand(group: Command, io: CliIo): void {
  addClientOptions(
    group
      .command('jobs')
      .addOption(
        new Option('--state <state>', 'jobs in this state')
          .choices(['failed', 'waiting', 'delayed', 'active', 'completed'])
          .default('failed'),
      )
      .option('-n, --limit <number>', 'at most so many', parseWholeNumber(1, 100), 20),
  )
    .description('Lists jobs of the overlay.')
    .action(async (options: JobsOptions) => {
      const { client } = await openClient(io, options);
      const { state, limit } = options;
      const answer = await client.get('/admin/jobs', { state, limit });
      const printer = new Printer(io);
      if (options.json === true) return printer.json(answer);
      printer.table(
        ['ID', 'NAME', 'STATE', 'ATTEMPTS', 'REASON'],
        getList(answer, 'jobs').map((job) =>
          ['id', 'name', 'state', 'attempts', 'reason'].map((field) => getText(job, field) || '-'),
        ),
      );
    });
  addClientOptions(group.command('retry').argument('<id>', 'the id of a failed job'))
    .description('Runs a failed job again.')
    .action(async (id: string, options: ClientOptions) => {
      const { client } = await openClient(io, options);
      const answer = await client.post(`/admin/jobs/${encodeURIComponent(id)}/retry`, {});
      const printer = new Printer(io);
      if (options.json === true) printer.json(answer);
      else printer.note('The job waits to run again.');
    });
}
