import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findFreePort } from '@messagebox/test-kit/ports';
import { diagnose, diagnoseInProcess } from './support/doctor.ts';
import { type Edge, type EdgeOptions, startEdge } from './support/edge.ts';
import { startSilentServer } from './support/silent-server.ts';
import { type StandaloneServer, startStandalone } from './support/standalone.ts';

// Processes are started, and a busy machine takes its time.
jest.setTimeout(180_000);

let server: StandaloneServer;
let prefixed: StandaloneServer;
let sound: Record<string, string>;
const open: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  [server, prefixed] = await Promise.all([startStandalone(), startStandalone({ ROUTING_PREFIX: '/api' })]);
  sound = { DATA_DIR: server.dataDir };
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

afterAll(async () => {
  await Promise.all([server?.close(), prefixed?.close()]);
});

async function openEdge(options: Partial<EdgeOptions> = {}): Promise<Edge> {
  const edge = await startEdge({ target: () => server.url, ...options });
  open.push(edge);
  return edge;
}

test('doctor names nothing for a sound server, or for a sound edge before it', async () => {
  const edge = await openEdge();

  const [direct, behind] = await Promise.all([
    diagnose(sound, { origin: server.url }),
    diagnose(sound, { origin: edge.url }),
  ]);

  for (const { code, problems, find } of [direct, behind]) {
    expect(problems).toEqual([]);
    expect(code).toBe(0);
    for (const name of [
      'origin handshake',
      'origin identity',
      'origin path',
      'origin headers',
      'origin bodies',
      'websocket',
      'long polling',
      'instances',
      'client library',
      'database schema',
    ]) {
      expect(find(name)).toMatchObject({ name, verdict: 'ok' });
    }
  }
});

test('doctor names nothing for a server with a prefix', async () => {
  const { code, problems, find } = await diagnose(
    { DATA_DIR: prefixed.dataDir, ROUTING_PREFIX: '/api' },
    { origin: prefixed.url },
  );

  expect(problems).toEqual([]);
  expect(code).toBe(0);
  expect(find('origin path')).toMatchObject({ verdict: 'ok', seen: `${prefixed.url}/api` });
});

interface Seed {
  readonly title: string;
  readonly origin: () => Promise<string>;
  readonly env?: () => Record<string, string>;
  readonly problems: readonly string[];
  readonly seen: RegExp;
}

const withEdge = (options: Partial<EdgeOptions>) => async () => (await openEdge(options)).url;
const isSigned = (headers: object) => 'x-bsv-auth-signature' in headers;

const seeds: Seed[] = [
  {
    title: 'an origin where nothing listens',
    origin: async () => `http://127.0.0.1:${await findFreePort()}`,
    problems: ['origin: fail'],
    seen: /nothing listens there/,
  },
  {
    title: 'an origin that is no MessageBox server',
    origin: withEdge({
      onAnswer: (answer) => {
        answer.body = Buffer.from('<html>Welcome!</html>');
        answer.headers = { 'content-type': 'text/html' };
      },
    }),
    problems: ['origin handshake: fail'],
    seen: /gives no handshake/,
  },
  {
    title: 'an edge that drops x-bsv headers of requests',
    origin: withEdge({
      onRequest: ({ headers }) => {
        for (const name of Object.keys(headers)) if (name.startsWith('x-bsv-')) delete headers[name];
      },
    }),
    problems: ['origin headers: fail'],
    seen: /of requests do not reach the server/,
  },
  {
    title: 'an edge that drops x-bsv headers of answers',
    origin: withEdge({
      onAnswer: ({ headers }) => {
        for (const name of Object.keys(headers)) if (name.startsWith('x-bsv-')) delete headers[name];
      },
    }),
    problems: ['origin headers: fail'],
    seen: /of answers do not reach clients/,
  },
  {
    title: 'an edge that writes the JSON of requests again',
    origin: withEdge({
      onRequest: (message) => {
        if (message.headers['content-type'] === 'application/json')
          message.body = Buffer.from(JSON.stringify(JSON.parse(message.body.toString())));
      },
    }),
    problems: ['origin bodies: fail'],
    seen: /bodies of requests are changed/,
  },
  {
    title: 'an edge that changes the bodies of answers',
    origin: withEdge({
      onAnswer: (answer) => {
        if (isSigned(answer.headers)) answer.body = Buffer.concat([answer.body, Buffer.from('\n')]);
      },
    }),
    problems: ['origin bodies: fail'],
    seen: /answers are changed/,
  },
  {
    title: 'an edge without websockets',
    origin: withEdge({ websockets: false }),
    problems: ['websocket: fail'],
    seen: /HTTP 400/,
  },
  {
    title: 'an edge that removes the prefix',
    origin: async () => {
      const edge = await openEdge({
        onRequest: (message) => {
          message.path = message.path.replace(/^\/api/, '');
        },
      });
      return `${edge.url}/api`;
    },
    problems: ['origin path: fail'],
    seen: /another path/,
  },
  {
    title: 'a prefix that the server does not have',
    origin: async () => `${server.url}/api`,
    problems: ['origin path: fail'],
    seen: /no route|no message routes/,
  },
  {
    title: 'a prefix of the server that the configuration does not have',
    origin: async () => prefixed.url,
    env: () => ({ DATA_DIR: prefixed.dataDir }),
    problems: ['origin path: fail'],
    seen: /no message routes/,
  },
  {
    title: 'another server at the origin',
    origin: async () => server.url,
    env: () => ({ SERVER_PRIVATE_KEY: '22'.repeat(32) }),
    problems: ['origin identity: fail'],
    seen: /the key configured here is that of/,
  },
  {
    title: 'an origin whose clock is wrong',
    origin: withEdge({
      onAnswer: ({ headers }) => {
        headers['date'] = new Date(Date.now() - 600_000).toUTCString();
      },
    }),
    problems: ['origin clock: warn'],
    seen: /behind this host's/,
  },
  {
    title: 'an edge whose clients all have one address',
    origin: withEdge({
      onAnswer: ({ headers }) => {
        headers['server'] = 'nginx';
      },
    }),
    problems: ['client addresses: warn'],
    seen: /TRUST_PROXY is 0/,
  },
];

test.each(seeds)('doctor names $title', async ({ origin, env, problems, seen }) => {
  const diagnosis = await diagnose({ ...sound, ...env?.() }, { origin: await origin() });

  expect(diagnosis.problems).toEqual(problems);
  expect(diagnosis.code).toBe(problems.some((problem) => problem.endsWith('fail')) ? 1 : 0);
  const named = diagnosis.find((problems[0] ?? '').replace(/:.*/, ''));
  expect(named.seen).toMatch(seen);
  expect(named.advice).toBeDefined();
});

test('doctor names an origin that accepts connections and never answers, and ends in time', async () => {
  const silent = await startSilentServer();
  open.push(silent);

  const { code, problems, find } = await diagnose(sound, { origin: `http://127.0.0.1:${silent.port}`, limit: '1' });

  expect(problems).toEqual(['origin: fail']);
  expect(code).toBe(1);
  expect(find('origin').seen).toContain('no answer within 1 s');
});

test('doctor names an instance with another key and one with other session secrets', async () => {
  const key = readFileSync(path.join(server.dataDir, 'server-private-key'), 'utf8').trim();
  const other = await startStandalone();
  const otherSecrets = await startStandalone({ SERVER_PRIVATE_KEY: key, SESSION_SECRETS: '33'.repeat(32) });
  open.push(other, otherSecrets);
  const takeTurns = (targets: readonly StandaloneServer[]) => {
    let turn = 0;
    // Live connections stay at one of them, because these servers know nothing of each other.
    return (asked: string) =>
      (asked.startsWith('/socket.io/') ? server : (targets[turn++ % targets.length] as StandaloneServer)).url;
  };

  const mixedKeys = await diagnose(sound, { origin: (await openEdge({ target: takeTurns([server, other]) })).url });
  const mixedSecrets = await diagnose(sound, {
    origin: (await openEdge({ target: takeTurns([server, otherSecrets]) })).url,
  });

  expect(mixedKeys.find('instances')).toMatchObject({
    verdict: 'fail',
    seen: expect.stringContaining('2 different identities'),
  });
  expect(mixedSecrets.find('instances')).toMatchObject({ verdict: 'fail', seen: expect.stringContaining('session') });
});

describe('with TLS', () => {
  const env = () => ({
    ...sound,
    TRUST_PROXY: '1',
    NODE_EXTRA_CA_CERTS: path.join(__dirname, 'fixtures/tls/ca.pem'),
  });

  test.each([
    ['an expired certificate', 'expired.pem', /has expired/],
    ['a self-signed certificate', 'self-signed.pem', /self-signed/],
    ['a certificate for another name', 'other-name.pem', /for another name/],
  ])('doctor names %s', async (_title, certificate, seen) => {
    const edge = await openEdge({ certificate });

    const { code, problems, find } = await diagnoseInProcess(['--origin', edge.url], {
      env: env(),
      cwd: server.dataDir,
    });

    expect(problems).toEqual(['origin certificate: fail']);
    expect(code).toBe(1);
    expect(find('origin certificate').seen).toMatch(seen);
    // The other checks look further.
    expect(find('origin bodies')).toMatchObject({ verdict: 'ok' });
  });

  test('doctor names nothing for a trusted certificate', async () => {
    const edge = await openEdge({ certificate: 'sound.pem' });

    const { code, problems, find } = await diagnoseInProcess(['--origin', edge.url], {
      env: env(),
      cwd: server.dataDir,
    });

    expect(problems).toEqual([]);
    expect(code).toBe(0);
    expect(find('client library')).toMatchObject({ verdict: 'ok' });
  });
});
