// Tests the compose project as operators run it: `npm run test:compose`. Builds the images, starts two api, three
// realtime and two overlay instances behind the edge, runs the demo and the tests of tests/compose against it, and removes it all.
//
// With `--results=FOLDER` each run of tests leaves its results there, as Jest's JSON.
//
// Needs Docker with Compose 2. Where there is none it says so loudly and ends with 0; with CI_DOCKER_REQUIRED=1, with 1.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { main, SetupError } from './lib/run.mjs';
import { inRoot, scriptArguments } from './lib/workspace.mjs';

const SCALE = ['--scale', 'api=2', '--scale', 'realtime=3', '--scale', 'overlay=2'];
/** For a slow machine, and a database that is made for the first time. */
const UP = ['up', '--detach', '--wait', '--wait-timeout', '240', ...SCALE];

/** Suites of tests/bad-input that ask nothing of the server which an edge answers in its place. */
const BAD_INPUT = ['http-auth', 'http-content', 'http-transport', 'handshake', 'socket-events', 'socket-frames'];
/** What HTTP allows an edge to do otherwise than the server. */
const OTHERWISE = [
  'a target that is a whole URL', // is made a path
  'OPTIONS \\*', // has no path to be sent on by
  'an expectation that nobody knows', // ends at the edge, as 100-continue does
  'a header without colon', // becomes one with an empty value
  'an unknown method', // the connection to the client is the edge`s to close
  'a header with a control character',
  'more than 200 are not', // here too
  'too many handshakes of one address', // by way of an edge, one test is not fast enough for that
];

const project = `messagebox-test-${randomBytes(4).toString('hex')}`;
let ending = false;
let running;
/** A folder; and how many runs of tests there were. */
let results;
let runs = 0;

/** Runs a command to its end. Signals end it, and then what follows is only the cleaning up. */
async function run(command, args, env = {}) {
  if (ending) throw new SetupError('Interrupted.');
  running = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  const [code, signal] = await once(running, 'close');
  running = undefined;
  if (ending) throw new SetupError('Interrupted.');
  if (code !== 0) throw new SetupError(`${command} ${args.join(' ')} ended with ${signal ?? code}.`);
}

function jest(env, ...args) {
  runs += 1;
  const output = results === undefined ? [] : ['--json', '--outputFile', join(results, `compose-${runs}.json`)];
  return run(process.execPath, [inRoot('node_modules', 'jest', 'bin', 'jest.js'), ...args, ...output], env);
}

function read(...args) {
  const { status, stdout, stderr } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0) throw new SetupError(`docker ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

function whyNoDocker() {
  for (const args of [['info'], ['compose', 'version']]) {
    const { status, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
    if (status !== 0) return error?.message ?? `docker ${args.join(' ')}: ${stderr.trim()}`;
  }
  return undefined;
}

/** The usual port if it is free. */
async function freePort(port = 8080) {
  const server = createServer();
  server.listen(port);
  try {
    await once(server, 'listening');
  } catch {
    return freePort(0);
  }
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : port;
}

async function step(title, work) {
  const from = Date.now();
  console.error(`\n=== ${title}`);
  await work();
  console.error(`=== ${title}: ${Math.round((Date.now() - from) / 1000)} s`);
}

/** Names of what the project still has. */
function leftovers() {
  const label = ['--filter', `label=com.docker.compose.project=${project}`];
  return [
    ...read('ps', '--all', '--format', 'container {{.Names}}', ...label).split('\n'),
    ...read('volume', 'ls', '--format', 'volume {{.Name}}', ...label).split('\n'),
    ...read('network', 'ls', '--format', 'network {{.Name}}', ...label).split('\n'),
  ].filter((line) => line !== '');
}

async function test() {
  const port = String(await freePort());
  const url = `http://localhost:${port}`;
  // Of the caller's environment and .env nothing may matter but where Docker is.
  const env = {
    COMPOSE_PROJECT_NAME: project,
    COMPOSE_DISABLE_ENV_FILE: '1',
    DOCKER_BUILDKIT: '1',
    EDGE_PORT: port,
    COMPOSE_TEST_URL: url,
    CI: 'true',
  };
  const compose = (more, ...args) =>
    run('docker', ['compose', '--progress', 'quiet', '--file', inRoot('docker-compose.yml'), ...args], {
      ...env,
      ...more,
    });
  const suites = (...names) => jest(env, '--config', 'tests/compose/jest.config.mjs', ...names);
  try {
    await step('docker compose build', () => compose({}, 'build', '--quiet'));
    await step(`docker compose up, at ${url}`, () => compose({}, ...UP));
    await step('the demo', () => run(process.execPath, [inRoot('demo', 'demo.mjs'), '--host', url]));
    await step('acceptance, with default transports and with long polling', () => suites('acceptance'));
    await step('the overlay by way of the edge', () => suites('overlay'));
    await step('every instance had work; containers are hardened', () => suites('instances'));
    await step('an api and a realtime instance are lost', () => suites('survival'));
    await step('with ROUTING_PREFIX=/api', async () => {
      await compose({ ROUTING_PREFIX: '/api' }, ...UP);
      await suites('routing-prefix', 'overlay');
    });
    await step('bad input by way of the edge', () =>
      jest(
        env,
        ...['--config', 'tests/compose/bad-input.config.mjs'],
        ...['--testNamePattern', `^(?!.*(${OTHERWISE.join('|')}))`],
        ...BAD_INPUT,
      ),
    );
  } catch (error) {
    if (!ending) {
      const logs = ['compose', '--project-name', project, 'logs', '--no-color', '--tail', '40'];
      spawnSync('docker', logs, { stdio: ['ignore', 'inherit', 'inherit'] });
    }
    throw error;
  } finally {
    console.error('\n=== docker compose down');
    spawnSync('docker', ['compose', '--project-name', project, 'down', '--volumes', '--timeout', '5'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const left = leftovers();
  if (left.length > 0) throw new SetupError(`docker compose down -v left: ${left.join(', ')}`);
  console.error('\nThe compose project passed, and nothing of it is left.');
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    ending = true;
    running?.kill(signal);
  });
}

await main(async () => {
  const { values } = parseArgs({ args: scriptArguments(), options: { results: { type: 'string' } } });
  if (values.results !== undefined) results = resolve(values.results);
  const missing = whyNoDocker();
  if (missing !== undefined) {
    const line = '!'.repeat(100);
    console.error(`\n${line}\nThe compose project was NOT tested: ${missing}\n${line}\n`);
    if (process.env.CI_DOCKER_REQUIRED === '1') throw new SetupError('CI_DOCKER_REQUIRED=1, and Docker is missing.');
    return;
  }
  await prepare();
  await test();
});
