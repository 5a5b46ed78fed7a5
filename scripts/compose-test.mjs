// Tests the compose project as operators run it: `npm run test:compose`. Builds the images, starts two api, three
// realtime and two overlay instances behind the edge, runs the demo and the tests of tests/compose against it, and removes it all.
//
// With `--results=FOLDER` each run of tests leaves its results there, as Jest's JSON. With `--only=NAME` only the steps whose
// title contains NAME run, between the start and the removal.
//
// Needs Docker with Compose 2. Without it, the script prints a warning and exits with 0, or with 1 if CI_DOCKER_REQUIRED=1.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { main, SetupError } from './lib/run.mjs';
import { inRoot, scriptArguments } from './lib/workspace.mjs';

const REPLICAS = { API_REPLICAS: '2', REALTIME_REPLICAS: '3', OVERLAY_REPLICAS: '2' };
/** For a slow machine, and a database that is made for the first time. */
const UP = ['up', '--detach', '--wait', '--wait-timeout', '240'];
/** A password that would end a text in JSON, in YAML and in a shell. */
const PASSWORD = `it's "a\\b" & $HOME`;
/** Where the daemon itself may have fewer open files than containers are to have. */
const FEWER_FILES = '16384';

/** Suites of tests/bad-input whose requests reach the server through an edge. */
const BAD_INPUT = ['http-auth', 'http-content', 'http-transport', 'handshake', 'socket-events', 'socket-frames'];
/** Titles of tests whose requests an edge may answer differently from the server. */
const OTHERWISE = [
  'a target that is a whole URL', // is made a path
  'OPTIONS \\*', // has no path to be sent on by
  'an expectation that nobody knows', // ends at the edge, as 100-continue does
  'a header without colon', // becomes one with an empty value
  'an unknown method', // the connection to the client is the edge`s to close
  'a header with a control character',
  'refuses more than 200', // here too
  'too many handshakes of one address', // by way of an edge, one test is not fast enough for that
];

const project = `messagebox-test-${randomBytes(4).toString('hex')}`;
/** The version that the upgrade is to: the same sources under another name. */
const next = `${project}-next`;
const NEXT_EDGE = `messagebox/edge:${next}`;
let ending = false;
let running;
/** A folder; and how many runs of tests there were. */
let results;
/** A part of the titles of the steps to run. */
let only;
let runs = 0;

/** Runs a command to its end. After a signal, only the clean-up follows. */
async function run(command, args, env = {}) {
  if (ending) throw new SetupError('Interrupted.');
  running = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
  const [code, signal] = await once(running, 'close');
  running = undefined;
  if (ending) throw new SetupError('Interrupted.');
  if (code !== 0) throw new SetupError(`${command} ${args.join(' ')} ended with ${signal ?? code}.`);
}

/** Runs suites. Where results are kept, suites that fail are run once more, and the results of both runs are kept. */
async function jest(env, ...args) {
  runs += 1;
  const file = `compose-${runs}`;
  const once = (more) =>
    run(process.execPath, [inRoot('node_modules', 'jest', 'bin', 'jest.js'), ...args, ...more], env);
  if (results === undefined) return once([]);
  const output = (name) => ['--json', '--outputFile', join(results, name)];
  try {
    await once(output(`${file}.json`));
  } catch (error) {
    if (ending) throw error;
    console.error('\n=== once more');
    await once(output(`${file}.repeated.json`));
  }
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

/** Whether a container can have as many open files as docker-compose.yml says. */
function canOpenFiles() {
  const args = ['run', '--rm', '--ulimit', 'nofile=65536:65536', '--entrypoint', 'true', 'messagebox/api:dev'];
  const isPossible = spawnSync('docker', args).status === 0;
  if (!isPossible) console.error(`This Docker can't give containers 65,536 open files; they get ${FEWER_FILES}.`);
  return isPossible;
}

async function step(title, work) {
  if (only !== undefined && !title.startsWith('docker compose') && !title.includes(only)) return;
  const from = Date.now();
  console.error(`\n=== ${title}`);
  await work();
  console.error(`=== ${title}: ${Math.round((Date.now() - from) / 1000)} s`);
}

/** Names of the containers, volumes and networks that the project still has. */
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
  // Only the address of Docker may be taken from the caller's environment; .env is ignored.
  const env = {
    COMPOSE_PROJECT_NAME: project,
    COMPOSE_DISABLE_ENV_FILE: '1',
    DOCKER_BUILDKIT: '1',
    EDGE_PORT: port,
    COMPOSE_TEST_URL: url,
    CI: 'true',
    ...REPLICAS,
    MYSQL_PASSWORD: PASSWORD,
    COMPOSE_TEST_NEXT_VERSION: next,
    COMPOSE_TEST_NEXT_EDGE: NEXT_EDGE,
  };
  const compose = (more, ...args) =>
    run('docker', ['compose', '--progress', 'quiet', '--file', inRoot('docker-compose.yml'), ...args], {
      ...env,
      ...more,
    });
  const suites = (...names) => jest(env, '--config', 'tests/compose/jest.config.mjs', ...names);
  try {
    await step('docker compose build', async () => {
      await compose({}, 'build', '--quiet');
      await compose({ MESSAGEBOX_VERSION: next }, 'build', '--quiet');
      if (!canOpenFiles()) Object.assign(env, { NOFILE: FEWER_FILES });
    });
    await step(`docker compose up, at ${url}`, () => compose({}, ...UP));
    await step('the demo', () => run(process.execPath, [inRoot('demo', 'demo.mjs'), '--host', url]));
    await step('acceptance, with default transports and with long polling', () => suites('acceptance'));
    await step('the overlay by way of the edge', () => suites('overlay'));
    await step('every instance had work; containers are hardened', () => suites('instances'));
    await step('another version and back, without an outage', async () => {
      await run('docker', ['tag', 'nginx:1.27-alpine', NEXT_EDGE]);
      await suites('upgrade');
    });
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
    const images = ['api', 'realtime', 'overlay'].map((service) => `messagebox/${service}:${next}`);
    spawnSync('docker', ['image', 'rm', '--force', NEXT_EDGE, ...images]);
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
  const { values } = parseArgs({
    args: scriptArguments(),
    options: { results: { type: 'string' }, only: { type: 'string' } },
  });
  only = values.only;
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
