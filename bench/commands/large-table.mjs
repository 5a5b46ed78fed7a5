import { formatTable } from '../lib/format-table.mjs';

const FEW = 1_000;

/** @type {import('./command.mjs').Command} */
export const largeTable = {
  name: 'large-table',
  usage: `npm run bench -- large-table [--rows=1000000] [--rounds=200]

Compares a table of so many messages with one of ${FEW}: lists, sends, acknowledgements, quotas and the purge of the store. A
tenth of the messages is in one box. On SQLite (in memory, so that nothing waits for the disk), and on MySQL or MariaDB with TEST_MYSQL_URL.

  --rows=N    1000 to 10000000
  --rounds=N  how often each operation is measured on each table, 20 to 10000
`,
  numbers: {
    rows: { default: 1_000_000, min: FEW, max: 10_000_000 },
    rounds: { default: 200, min: 20, max: 10_000 },
  },

  async measure(bench, { rows, rounds }) {
    const mysqlUrl = process.env.TEST_MYSQL_URL;
    const databases = [
      { database: 'SQLite', open: async () => bench.sqliteInMemory() },
      ...(mysqlUrl ? [{ database: 'MySQL', open: () => bench.mysql(mysqlUrl) }] : []),
    ];
    const results = [];
    for (const { database, open } of databases) {
      const load = bench.process('load/table-load.mjs');
      const start = performance.now();
      for (const [name, count] of /** @type {const} */ ([
        ['few', FEW],
        ['many', rows],
      ])) {
        bench.say(`${database}: filling a table with ${count} messages`);
        await load.call('fill', { name, database: await open(), rows: count }, 3_600);
      }
      const fillSeconds = (performance.now() - start) / 1000;
      bench.say(`${database}: measuring ${rounds} rounds`);
      const operations = await load.call('measure', { rounds }, 3_600);
      await load.call('close');
      await load.stop();
      const result = { database, fillSeconds, operations };
      results.push(result);
      // Already now, as the next database may take long.
      bench.say(`\n${formatDatabase(rows, result)}`);
    }
    return { results };
  },

  format: ({ options, results }) =>
    results.map((/** @type {any} */ one) => formatDatabase(options.rows, one)).join('\n\n'),
};

/** @param {number} rows @param {{ database: string, fillSeconds: number, operations: Record<string, any> }} result */
function formatDatabase(rows, { database, fillSeconds, operations }) {
  return [
    `${rows} messages in one table / ${FEW}, on ${database} (filled in ${fillSeconds.toFixed(0)} s)`,
    ...formatTable([
      ['', 'p50 ms', 'of few', 'ratio', 'p99 ms', 'of few', 'ratio'],
      ...Object.entries(operations).map(([operation, { few, many }]) => [
        operation,
        ...['p50', 'p99'].flatMap((p) => [many[p].toFixed(2), few[p].toFixed(2), (many[p] / few[p]).toFixed(2)]),
      ]),
    ]),
  ].join('\n');
}
