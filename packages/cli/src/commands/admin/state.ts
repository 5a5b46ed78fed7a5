import type { Command } from 'commander';
import { addClientOptions, type ClientOptions, openClient } from '../../arguments/client-options.js';
import { getField, getList, getNumber, getText } from '../../client/fields.js';
import type { CliIo } from '../../io.js';
import { formatBytes, formatDuration, formatNumber } from '../../output/format.js';
import { Printer } from '../../output/printer.js';

/** `admin stats` and `admin instances`. */
export function addStateCommands(group: Command, io: CliIo): void {
  addClientOptions(group.command('stats'))
    .description('Shows rates, delivery latency, storage, the queue, and limits that were hit.')
    .action(async (options: ClientOptions) => {
      const { client } = await openClient(io, options);
      const stats = await client.get('/admin/stats');
      const printer = new Printer(io);
      if (options.json === true) return printer.json(stats);
      printStats(printer, stats);
    });
  addClientOptions(group.command('instances'))
    .description('Lists the running instances with version and state.')
    .action(async (options: ClientOptions) => {
      const { client } = await openClient(io, options);
      const instances = getList(await client.get('/admin/instances'), 'instances');
      const printer = new Printer(io);
      if (options.json === true) return printer.json(instances);
      printer.table(
        ['SERVICE', 'ID', 'VERSION', 'STATE', 'SOCKETS', 'MEMORY', 'LOOP DELAY', 'STARTED'],
        instances.map((instance) => [
          getText(instance, 'service'),
          getText(instance, 'id'),
          getText(instance, 'version'),
          [getText(instance, 'state'), ...getList(instance, 'reasons').map(String)].join(': '),
          getNumber(instance, 'sockets') ?? 0,
          formatBytes(getNumber(instance, 'rssBytes')),
          `${formatNumber(getNumber(instance, 'loopDelayMs'))} ms`,
          getText(instance, 'startedAt'),
        ]),
      );
    });
}

function printStats(printer: Printer, stats: unknown): void {
  const [rates, latency, queue, storage] = ['rates', 'deliveryLatencyMs', 'queue', 'storage'].map((name) =>
    getField(stats, name),
  );
  const perSecond = (name: string) => `${formatNumber(getNumber(rates, name))}/s`;
  printer.facts({
    up: formatDuration(getNumber(stats, 'uptimeSeconds')),
    messages: perSecond('messagesPerSecond'),
    acknowledged: perSecond('acknowledgedPerSecond'),
    requests: perSecond('requestsPerSecond'),
    pushes: perSecond('pushesPerSecond'),
    delivery: ['p50', 'p95', 'p99'].map((name) => `${name} ${formatNumber(getNumber(latency, name))} ms`).join(', '),
    sockets: formatNumber(getNumber(stats, 'sockets')),
    queue: ['waiting', 'active', 'delayed', 'failed', 'completed']
      .map((name) => `${formatNumber(getNumber(queue, name))} ${name}`)
      .join(', '),
    stored: `${formatNumber(getNumber(storage, 'messages'))} messages (${formatBytes(getNumber(storage, 'bytes'))}) of ${formatNumber(getNumber(storage, 'identities'))} identities`,
    database: formatBytes(getNumber(storage, 'databaseBytes')),
  });
  const limits = getList(stats, 'limitsHit');
  if (limits.length === 0) return;
  printer.line();
  printer.table(
    ['LIMIT', 'HITS'],
    limits.map((limit) => [getText(limit, 'name'), getNumber(limit, 'count') ?? 0]),
  );
}
