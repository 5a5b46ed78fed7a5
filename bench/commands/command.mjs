import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Bench } from '../bench.mjs';
import { thorough } from '../effort.mjs';

/**
 * @typedef {object} Command
 * @property {string} name
 * @property {string} usage
 * @property {Record<string, { default: number, min: number, max: number }>} numbers options that take a number
 * @property {(bench: Bench, options: Record<string, number>) => Promise<any>} measure
 * @property {(results: any) => string} format
 */

/**
 * Runs a command of its own: prints the figures, and writes them to results/NAME.json. The exit code is 0 whatever they are,
 * 1 after an error and 2 after an option that does not exist.
 *
 * @param {Command} command
 * @param {string[]} args
 */
export async function runCommand(command, args) {
  const options = readOptions(command, args);
  if (options === undefined) return;
  const start = performance.now();
  const say = (/** @type {string} */ text) =>
    console.error(`${((performance.now() - start) / 1000).toFixed(0).padStart(5)} s  ${text}`);
  const bench = new Bench(thorough, undefined, say);
  const interrupted = (/** @type {NodeJS.Signals} */ signal) => {
    void bench.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const machine = {
      cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
      cores: cpus().length,
      loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
      node: process.versions.node,
    };
    const results = { at: new Date().toISOString(), machine, options, ...(await command.measure(bench, options)) };
    const folder = new URL('../results/', import.meta.url);
    mkdirSync(folder, { recursive: true });
    const file = new URL(`${command.name}.json`, folder);
    writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
    const where = `${machine.cores} cores, load ${machine.loadAverage.join(' ')} at the start, Node ${machine.node}`;
    process.stdout.write(`\n${where}\n${command.format(results)}\n\n${fileURLToPath(file)}\n`);
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await bench.close();
  }
}

/** @param {Command} command @param {string[]} args */
function readOptions({ usage, numbers }, args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        ...Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: /** @type {const} */ ('string') }])),
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return undefined;
    }
    return Object.fromEntries(
      Object.entries(numbers).map(([name, { default: usual, min, max }]) => {
        const text = /** @type {Record<string, unknown>} */ (values)[name];
        const value = text === undefined ? usual : Number(text);
        if (!(value >= min && value <= max)) throw new Error(`--${name} must be a number from ${min} to ${max}.`);
        return [name, value];
      }),
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exitCode = 2;
    return undefined;
  }
}

/** The database and Redis servers that a command needs. */
export function requireServers() {
  const { TEST_MYSQL_URL: mysql, TEST_REDIS_URL: redis } = process.env;
  if (!mysql || !redis) throw new Error('This command needs the variables TEST_MYSQL_URL and TEST_REDIS_URL.');
  return { mysql, redis };
}
