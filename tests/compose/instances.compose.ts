import { type Container, listContainers } from './stack.js';

const REPLICAS = { api: 2, realtime: 3, overlay: 2 };
const OURS = [...Object.keys(REPLICAS), 'migrate', 'identity', 'edge'];

describe('every instance', () => {
  test('runs, is healthy, and none was restarted', async () => {
    for (const [service, replicas] of Object.entries(REPLICAS)) {
      const found = await listContainers(service);
      const states = await Promise.all(found.map((container) => container.inspect()));
      const how = states.map(({ RestartCount, State }) => ({ RestartCount, health: State.Health?.Status }));
      expect({ service, how }).toEqual({ service, how: Array(replicas).fill({ RestartCount: 0, health: 'healthy' }) });
    }
  });

  test('of api had requests of every kind', async () => {
    for (const api of await listContainers('api')) {
      const numbers = await api.readMetrics();
      for (const route of ['/.well-known/auth', '/sendMessage', '/listMessages', '/acknowledgeMessage']) {
        const had = numbers.sum('messagebox_http_request_duration_seconds_count', { route, code: '200' });
        expect({ route, had }).toEqual({ route, had: expect.any(Number) });
        expect(had).toBeGreaterThan(0);
      }
      expect(numbers.sum('messagebox_room_events_total', { outcome: 'published' })).toBeGreaterThan(0);
    }
  });

  test('of realtime had sockets, events of theirs, and deliveries', async () => {
    for (const realtime of await listContainers('realtime')) {
      const numbers = await realtime.readMetrics();
      expect(numbers.sum('messagebox_auth_outcomes_total', { transport: 'socket', outcome: 'ok' })).toBeGreaterThan(0);
      expect(numbers.sum('messagebox_socket_events_total', { event: 'joinRoom' })).toBeGreaterThan(0);
      expect(numbers.sum('messagebox_socket_events_total', { event: 'sendMessage' })).toBeGreaterThan(0);
      expect(numbers.sum('messagebox_live_deliveries_total')).toBeGreaterThan(0);
    }
  });

  test('of overlay had requests, and some of them jobs', async () => {
    const overlays = await Promise.all((await listContainers('overlay')).map((overlay) => overlay.readMetrics()));
    for (const numbers of overlays) {
      for (const route of ['/listTopicManagers', '/lookup']) {
        const had = numbers.sum('messagebox_http_request_duration_seconds_count', { route, code: '200' });
        expect({ route, had }).toEqual({ route, had: expect.any(Number) });
        expect(had).toBeGreaterThan(0);
      }
    }
    const jobs = (outcome: string) =>
      overlays.map((numbers) => numbers.sum('messagebox_jobs_total', { queue: 'overlay', outcome }));
    expect(Math.max(...jobs('completed'))).toBeGreaterThan(0);
    expect(jobs('failed')).toEqual(overlays.map(() => 0));
  });

  test('tells health checks apart from what clients ask for, and knows that Redis is up', async () => {
    for (const api of await listContainers('api')) {
      const numbers = await api.readMetrics();
      expect(
        numbers.sum('messagebox_http_request_duration_seconds_count', { route: '/health', code: '200' }),
      ).toBeGreaterThan(0);
      expect(numbers.sum('messagebox_redis_up')).toBe(1);
    }
  });

  test('uses the native curve, MySQL and sharded Redis channels', async () => {
    for (const service of Object.keys(REPLICAS)) {
      for (const instance of await listContainers(service)) {
        const labels = { secp256k1: 'native', database: 'mysql', events: 'redis-sharded', service };
        expect((await instance.readMetrics()).sum('messagebox_info', labels)).toBe(1);
      }
    }
  });
});

describe('every container of ours', () => {
  test('has a read-only root, no privileges, and a limit to its memory', async () => {
    for (const container of await listOwnContainers()) {
      const { HostConfig, State } = await container.inspect();
      expect({ service: container.service, ...HostConfig }).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Memory: expect.any(Number),
      });
      expect(HostConfig.Memory).toBeGreaterThan(0);
      expect(State).toMatchObject({ OOMKilled: false, ExitCode: 0 });
    }
  });

  test('runs as a user who is not root, and who can write nothing but /tmp', async () => {
    for (const container of (await listOwnContainers()).filter(
      ({ service }) => service !== 'migrate' && service !== 'identity',
    )) {
      expect(await container.exec('id', '-u')).toMatch(/^(1000|101)$/);
      for (const folder of ['/', '/app', '/config', '/etc', '/usr/local', '/var/lib']) {
        await expect(container.exec('touch', `${folder}/x`)).rejects.toThrow(/Read-only|Permission|No such file/);
      }
      await container.exec('touch', '/tmp/x');
    }
    for (const service of ['migrate', 'identity']) {
      for (const container of await listContainers(service, { all: true })) {
        expect((await container.inspect()).Config.User).toBe('node');
      }
    }
  });

  test('of our images says what it is', async () => {
    for (const service of Object.keys(REPLICAS)) {
      const [container] = await listContainers(service);
      const { Config } = (await container?.inspect()) ?? fail();
      expect(Config.Labels).toMatchObject({
        'org.opencontainers.image.title': `MessageBox ${service}`,
        'org.opencontainers.image.version': expect.any(String),
        'org.opencontainers.image.revision': expect.any(String),
      });
    }
  });
});

describe('an image', () => {
  test('has the packages that its service is made of, and no others; SQLite is in none', async () => {
    const common = ['brc103', 'devnet', 'messages', 'shared', 'store', 'transactions', 'wallet'];
    const packages = {
      realtime: expect.arrayContaining([...common, 'payments']),
      overlay: expect.arrayContaining(common),
      api: expect.arrayContaining([...common, 'payments']),
    };
    for (const [service, expected] of Object.entries(packages)) {
      const [container] = await listContainers(service);
      const list = async (folder: string) => (await container?.exec('ls', folder))?.split('\n') ?? fail();
      expect(await list('/app/packages')).toEqual(expected);
      expect(await list('/app/packages')).not.toContain('test-kit');
      expect(await list('/app/services')).toEqual([service]);
      expect((await list('/app/node_modules/.pnpm')).filter((name) => name.startsWith('better-sqlite3'))).toEqual([]);
    }
  });

  test('of api and realtime has no part of the overlay', async () => {
    for (const service of ['api', 'realtime']) {
      const [container] = await listContainers(service);
      expect(await container?.exec('ls', '/app/node_modules/.pnpm')).not.toMatch(/^@bsv\+overlay/m);
    }
  });
});

async function listOwnContainers(): Promise<Container[]> {
  const found = await Promise.all(OURS.map((service) => listContainers(service, { all: true })));
  for (const list of found) expect(list).not.toEqual([]);
  return found.flat();
}

function fail(): never {
  throw new Error('there is no such container');
}
