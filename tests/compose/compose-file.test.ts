import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { limitVariables, variables } from '@messagebox/shared';
import { DEVELOPMENT_PATH, OVERLAY_PATHS } from '../support/overlay-paths.js';

const root = resolve(import.meta.dirname, '..', '..');
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

/** `${NAME:-default}` of a text; a default may hold one more. */
const variablesIn = (text: string) =>
  [...text.matchAll(/\$\{(\w+):-((?:\$\{[^}]*\}|[^$}])*)\}/g)].flatMap(
    ([, name = '', value = '']): (readonly [string, string])[] => [[name, value], ...variablesIn(value)],
  );
const used = variablesIn(compose);
/** Names without a value, which are handed on to containers as they are, or not at all. */
const handedOn = [...compose.matchAll(/^ +([A-Z_]+):(?: *#.*)?$/gm)].map(([, name = '']) => name);

test('every variable of the compose file has one default', () => {
  expect(compose.match(/\$\{\w+(?!:-|\w)/g) ?? []).toEqual([]);
  for (const [name, value] of used) {
    expect(used.filter(([other, its]) => other === name && its !== value)).toEqual([]);
  }
});

test('those that are not the servers` own are in deploy/compose.env.example, with their defaults', () => {
  const example = readFileSync(join(root, 'deploy', 'compose.env.example'), 'utf8');
  const listed = [...example.matchAll(/^# ([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => `${name}=${value}`);
  const own = used.filter(([name]) => !(name in variables)).map(([name, value]) => `${name}=${value}`);
  expect(listed.sort()).toEqual([...new Set(own)].sort());
});

test('what is handed on is a variable of the servers', () => {
  expect(handedOn.length).toBeGreaterThan(10);
  expect(handedOn.filter((name) => !(name in variables))).toEqual([]);
});

test('every limit is handed on', () => {
  expect(Object.keys(limitVariables).filter((name) => !handedOn.includes(name))).toEqual([]);
});

test.each([
  ['of the Firebase account', 'FIREBASE_SERVICE_ACCOUNT'],
  ['of Web Push', 'VAPID_PRIVATE_KEY'],
])('the key %s is handed to realtime, and to nobody else', (_what, variable) => {
  const [shared = '', services = ''] = compose.split(/^services:$/m);
  const names = [...services.matchAll(/^ {2}(\w+):\n((?: {4}.*\n|\n| {2}#.*\n)*)/gm)]
    .filter(([, , block = '']) => block.includes(variable))
    .map(([, name]) => name);
  expect(names).toEqual(['realtime']);
  expect(shared).not.toContain(variable);
});

test('images are pinned to a version', () => {
  const images = [...compose.matchAll(/^ +image: (\S+)$/gm)].map(([, image = '']) => image);
  expect(images.length).toBeGreaterThan(5);
  for (const image of images) expect(image).toMatch(/^\$\{\w+_IMAGE:-.*:(\$\{MESSAGEBOX_VERSION:-dev\}|.*\d.*)\}$/);
});

test('ports are open to this machine only, unless a variable says otherwise', () => {
  const ports = [...compose.matchAll(/^ +ports: \["(.*)"\]$/gm)].map(([, port = '']) => port);
  expect(ports).toHaveLength(4);
  for (const port of ports) expect(port).toMatch(/^(127\.0\.0\.1|\$\{EDGE_ADDRESS:-127\.0\.0\.1\}):\$\{/);
});

test('the database takes the connections of twenty instances, and of one more of each service', () => {
  const value = (name: string) => Number(used.find(([other]) => other === name)?.[1]);
  const { DB_POOL_SIZE } = variables;
  expect(value('MYSQL_MAX_CONNECTIONS')).toBeGreaterThan((20 + 3) * (DB_POOL_SIZE.parse(undefined) as number));
});

test('the edge`s workers and their memory do not grow with the cores of the machine', () => {
  const edge = readFileSync(join(root, 'deploy', 'edge', 'nginx.conf'), 'utf8');
  const number = (pattern: RegExp) => Number(pattern.exec(edge)?.[1]);
  const websockets = (number(/worker_processes (\d+);/) * number(/worker_connections (\d+);/)) / 2;
  const [, memory = ''] = /\n {2}edge:\n(?:.*\n)*?.*limits: \{ memory: (\d+)m/.exec(compose) ?? [];
  // Two buffers of 4 KB, the headers (4 KB), and what nginx itself keeps for each of the two connections.
  expect(websockets * 25 * 1024).toBeLessThan(Number(memory) * 1024 ** 2);
  expect(edge).toMatch(/\$realtime;\n(?:.*\n)*? +proxy_buffer_size 4k;/);
});

test('the edge logs failures as JSON, without queries', () => {
  const edge = readFileSync(join(root, 'deploy', 'edge', 'nginx.conf'), 'utf8');
  const [, lines = ''] = /log_format failures escape=json\n([^;]*);/.exec(edge) ?? [];
  const format = [...lines.matchAll(/'(.*)'/g)].map(([, part]) => part).join('');
  const line = format.replaceAll(/"\$\w+"/g, '"x"').replaceAll(/\$\w+/g, '1');
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', service: 'edge', msg: 'request failed', path: 'x' });
  expect(format).not.toMatch(/\$(request|request_uri|args|query_string|http_\w+|arg_\w+|remote_addr)\b/);
  expect(edge).toMatch(/^ {2}error_log \/dev\/stderr emerg;$/m);
});

test('containers may take a little longer to stop than the servers take', () => {
  const seconds = (name: string) => Number.parseInt(used.find(([other]) => other === name)?.[1] ?? '', 10);
  expect(seconds('STOP_GRACE')).toBeGreaterThan(seconds('SHUTDOWN_GRACE_SECONDS'));
});

test('the play chain is used unless another network is named, by either name', () => {
  expect(Object.fromEntries(used)).toMatchObject({ NETWORK: expect.stringMatching(/^\$\{BSV_NETWORK:-local\}$/) });
  expect(handedOn).toContain('BSV_NETWORK');
});

test('the edge names its own limit of a body in the form of the services', () => {
  const edge = readFileSync(join(root, 'deploy', 'edge', 'nginx.conf'), 'utf8');
  const megabytes = Number(/^ {2}client_max_body_size (\d+)m;/m.exec(edge)?.[1]);
  const limit = megabytes * 2 ** 20;
  const [, details = ''] = /map \$status \$error_details \{\s+default '';\s+413 '(.*)';/.exec(edge) ?? [];
  const [, description = ''] = / {4}413 '(The .*)';/.exec(edge) ?? [];
  const [, body = ''] = /return 200 '(.*)';/.exec(edge) ?? [];
  const answer = body
    .replace('$error_code', 'ERR_BODY_TOO_LARGE')
    .replace('$error_description', description)
    .replace('$error_details', details);
  expect(JSON.parse(answer)).toEqual({
    status: 'error',
    code: 'ERR_BODY_TOO_LARGE',
    description: expect.stringContaining(limit.toLocaleString('en-US')),
    field: 'requestBody',
    limit,
  });
});

test('the edge sends what overlay nodes have to overlay, at the root only', () => {
  const edge = readFileSync(join(root, 'deploy', 'edge', 'nginx.conf'), 'utf8');
  const [, pattern = ''] = /location ~ (\S+) \{\s+set \$overlay http:\/\/overlay:8080;/.exec(edge) ?? [];
  const overlay = new RegExp(pattern);
  for (const path of [...OVERLAY_PATHS, `${DEVELOPMENT_PATH}faucet`]) {
    expect(path).toMatch(overlay);
    expect(`/${path}`).toMatch(overlay); // as a client asks whose host ends with a slash
    for (const other of [`/api${path}`, path.toUpperCase()]) expect(other).not.toMatch(overlay);
  }
  for (const path of OVERLAY_PATHS) expect([`${path}/`, `${path}s`].filter((other) => overlay.test(other))).toEqual([]);
  for (const path of [
    '/sendMessage',
    '//sendMessage',
    '/overlay/ads',
    '/overlay/advertise',
    '/health/ready',
    '/developments/',
  ])
    expect(path).not.toMatch(overlay);
});

test('the edge sends sockets to realtime, below any prefix and with any number of slashes', () => {
  const edge = readFileSync(join(root, 'deploy', 'edge', 'nginx.conf'), 'utf8');
  const [, pattern = ''] = /location ~ (\S+) \{\s+set \$realtime http:\/\/realtime:8080;/.exec(edge) ?? [];
  const realtime = new RegExp(pattern);
  for (const path of ['/socket.io/', '//socket.io/', '/api/socket.io/', '/api//socket.io//', '/a/b/socket.io/']) {
    expect(path).toMatch(realtime);
  }
  for (const path of ['/socket.io', '/socketXio/', '/api/socket.iox/', 'socket.io/', '/sendMessage']) {
    expect(path).not.toMatch(realtime);
  }
});
