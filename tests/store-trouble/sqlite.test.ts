import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createApi } from '@messagebox/api';
import {
  createLogger,
  createServiceContext,
  JsonServer,
  openOverlayJobQueue,
  readConfig,
  type ServiceContext,
} from '@messagebox/shared';
import { dynamic, type SqlClient } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { sendSigned, shakeHands, signList, troubleSuite } from './trouble-suite.js';

/** A way in which SQLite takes no writes, on the one connection that the api has. */
const troubles = [
  {
    name: 'is read-only',
    refusesAll: true,
    begin: (sql: SqlClient) => sql.write(dynamic('PRAGMA query_only = 1'), []),
    end: (sql: SqlClient) => sql.write(dynamic('PRAGMA query_only = 0'), []),
  },
  {
    name: 'is full',
    refusesAll: false,
    begin: async (sql: SqlClient) => {
      // A limit below the present size means: not larger than now.
      await sql.read(dynamic('PRAGMA max_page_count = 1'), []);
    },
    end: (sql: SqlClient) => sql.read(dynamic('PRAGMA max_page_count = 1073741823'), []),
  },
];

const folder = createTemporaryFolder();
const env = { NODE_ENV: 'test', DATA_DIR: folder.path, SERVER_PRIVATE_KEY: randomBytes(32).toString('hex') };
const filename = join(folder.path, 'messagebox.sqlite');

/** The api on SQLite, without Redis. */
async function startApi(): Promise<{ url: string; sql: SqlClient; close(): Promise<void> }> {
  const log = createLogger('api', 'info', { write: () => undefined });
  const embedded = { client: 'better-sqlite3' as const, filename };
  const context: ServiceContext = await createServiceContext(readConfig(env), log, { service: 'api', embedded });
  await context.store.migrate();
  const jobs = openOverlayJobQueue(context);
  const server = new JsonServer(createApi({ ...context, events: { publish: () => undefined }, jobs }), log);
  const url = await server.listen(0, '127.0.0.1');
  const close = async () => {
    await server.close(500);
    await jobs.close();
    await context.shutdown.close();
  };
  return { url, sql: context.sql, close };
}

describe('SQLite', () => {
  let api: Awaited<ReturnType<typeof startApi>>;
  beforeEach(async () => {
    api = await startApi();
  });
  afterEach(() => api.close());
  afterAll(() => folder.remove());

  describe.each(troubles)('that $name', ({ refusesAll, begin, end }) => {
    troubleSuite(
      () => ({
        apis: [api.url, api.url],
        begin: async () => void (await begin(api.sql)),
        end: async () => void (await end(api.sql)),
      }),
      refusesAll,
    );

    test('a list that was captured meanwhile does not work after a restart', async () => {
      await begin(api.sql);
      const captured = signList(await shakeHands(api.url));
      expect((await sendSigned(api.url, captured)).status).toBe(200);
      await api.close();
      api = await startApi();
      expect((await sendSigned(api.url, captured)).status).toBe(401);
    });
  });
});
