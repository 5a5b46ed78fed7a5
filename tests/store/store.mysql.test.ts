import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createKnex, openStore, type StoreConfig, StoreUnavailableError } from '@messagebox/store';
import { findFreePort } from '@messagebox/test-kit/ports';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import type { Knex } from 'knex';
import { createConnection } from 'mysql2/promise';
import { hasLockWait } from '../support/database-activity.js';
import { withProcessTimeout } from '../support/process-timeout.js';
import { getOutcomes } from '../support/store-outcomes.js';
import { createTcpProxy } from '../support/tcp-proxy.js';
import { storeSuite, withReceipts } from './store-suite.js';

describeWithMysql('store on MySQL', () => {
  storeSuite('the promises', createMysqlDatabase);
  storeSuite('the promises, where it is remembered what became of messages', () => withReceipts(createMysqlDatabase));

  describe('connections', () => {
    let database: TestDatabase;
    let proxy: Proxy;

    beforeAll(async () => {
      database = await createMysqlDatabase();
      const store = openStore(database.config);
      await store.migrate();
      await store.close();
    });

    beforeEach(async () => {
      proxy = await startProxy(new URL(database.url));
    });

    afterEach(() => proxy.stop());
    afterAll(() => database.drop());

    /** The store's way to the database leads through the proxy. */
    function proxied(limits: Partial<StoreConfig> = {}): StoreConfig {
      const url = new URL(database.url);
      url.hostname = '127.0.0.1';
      url.port = String(proxy.port);
      return { client: 'mysql2', connection: url.href, ...limits } as StoreConfig;
    }

    const message = (messageId: string) => ({ recipient: 'r', messageBox: 'b', messageId, sender: 's', body: 'x' });

    /** The call rejects as unavailable within the time of this process; returns the cause. */
    async function unavailable(call: Promise<unknown>, withinMs: number): Promise<unknown> {
      const failure = await withProcessTimeout(
        withinMs,
        call.catch((error: unknown) => error),
      );
      expect(failure).toBeInstanceOf(StoreUnavailableError);
      return (failure as Error).cause;
    }

    test('are in UTC, strict and READ COMMITTED, whatever the server says', async () => {
      const knex = createKnex(database.config);
      const [rows] = await knex.raw('SELECT @@session.time_zone AS zone, @@session.sql_mode AS mode');
      expect(rows[0].zone).toBe('+00:00');
      expect(rows[0].mode).toContain('STRICT_ALL_TABLES');
      const [levels] = await knex.raw(
        "SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')",
      );
      expect(levels.length).toBeGreaterThan(0);
      for (const { Value } of levels) expect(Value).toBe('READ-COMMITTED');
      const { pool } = knex.client;
      expect(pool.max).toBe(10);
      await knex.destroy();
    });

    test('accepts options instead of a URL', async () => {
      const { hostname, port, username, password, pathname } = new URL(database.url);
      const store = openStore({
        client: 'mysql2',
        connection: {
          host: hostname,
          port: Number(port || 3306),
          user: username,
          password,
          database: pathname.slice(1),
        },
        poolSize: 1,
      });
      expect((await store.getSchemaStatus()).current).toBe(true);
      await store.close();
    });

    test('a name that does not fit is refused, never cut off', async () => {
      const store = openStore(database.config);
      await unavailable(store.storeMessages([message('x'.repeat(1_021))]), 5_000);
      await unavailable(store.storeMessages([{ ...message('fits'), messageBox: 'x'.repeat(1_021) }]), 5_000);
      const page = await store.listMessages({ recipient: 'r', messageBox: 'b', maxBytes: 1_000 });
      expect(page.messages).toEqual([]);
      await store.close();
    });

    test('a server that refuses connections makes the store unavailable at once, and it recovers', async () => {
      const store = openStore(proxied());
      await store.ping();
      await proxy.stop();
      for (let n = 0; n < 3; n++) await unavailable(store.storeMessages([message('refused')]), 2_000);
      await proxy.start();
      expect(await getOutcomes(store.storeMessages([message('refused')]))).toEqual(['stored']);
      await store.close();
    });

    test('gives up a server in time that accepts but never greets', async () => {
      proxy.freeze();
      const store = openStore(proxied({ acquireTimeoutMs: 300 }));
      await unavailable(store.ping(), 2_000);
      await store.close();
    });

    test('gives up a server in time that stops answering, and recovers', async () => {
      const store = openStore(proxied({ queryTimeoutMs: 300, acquireTimeoutMs: 300 }));
      await store.storeMessages([message('before')]);
      proxy.freeze();
      const calls = [
        () => store.storeMessages([message('during')]),
        () => store.listMessages({ recipient: 'r', messageBox: 'b', maxBytes: 1_000 }),
        () =>
          store.acknowledgeMessages(
            'r',
            Array.from({ length: 1_500 }, (_, n) => `id ${n}`),
          ),
        () => store.ping(),
      ];
      await Promise.all(calls.map((call) => unavailable(call(), 3_000)));
      proxy.thaw();
      const [outcome] = await getOutcomes(store.storeMessages([message('after')]));
      expect(outcome).toBe('stored');
      await store.close();
    });

    test('a connection lost under a call rejects that call only', async () => {
      const store = openStore(proxied());
      await store.ping();
      proxy.freeze();
      const lost = store.ping();
      await proxy.received();
      await proxy.cut();
      await unavailable(lost, 2_000);
      proxy.thaw();
      await store.ping();
      await store.close();
    });

    test('connections that the server closed while idle are replaced', async () => {
      const store = openStore(proxied());
      await Promise.all([store.ping(), store.ping(), store.ping()]);
      await proxy.cut();
      // The server's greeting to a new connection arrives after the news that the others are closed.
      const newcomer = connect(proxy.port, '127.0.0.1');
      await once(newcomer, 'data');
      newcomer.destroy();
      await store.ping();
      await store.close();
    });

    test.each([
      ['idle for a while', 0],
      ['just used', 60_000],
    ])(
      'replaces connections that all fell silent, %s, when the first of them does not answer',
      async (_, probeIdleMs) => {
        const link = await createTcpProxy({ target: database.url });
        const store = openStore({
          ...database.config,
          connection: link.url,
          probeIdleMs,
          queryTimeoutMs: 4_000,
          // A busy machine needs more than the usual 3 s to find out and to open another connection.
          acquireTimeoutMs: 30_000,
        });
        try {
          await Promise.all(Array.from({ length: 6 }, () => store.ping()));
          // The pings may be answered while the last connection is still being set up.
          await waitForCondition(() => store.connections().idle === 6, 'all connections are set up');
          link.stall();
          // Without a probe, the first call finds it out, at its own expense.
          if (probeIdleMs > 0) await expect(store.ping()).rejects.toThrow(StoreUnavailableError);
          await store.ping();
        } finally {
          await link.close();
          await store.close();
        }
      },
    );

    test('calls beyond the pool wait, and fail in time when nothing becomes free', async () => {
      const store = openStore(proxied({ poolSize: 1, acquireTimeoutMs: 2_000, queryTimeoutMs: 4_000 }));
      await Promise.all(Array.from({ length: 20 }, () => store.ping()));
      proxy.freeze();
      const first = unavailable(store.ping(), 8_000);
      await unavailable(store.ping(), 3_500);
      await first;
      await store.close();
    });

    test('a server that stopped answering does not keep the store from closing', async () => {
      const store = openStore(proxied({ queryTimeoutMs: 300, acquireTimeoutMs: 300 }));
      await store.ping();
      proxy.freeze();
      await withProcessTimeout(6_000, store.close());
    });

    test('retries the loser of a deadlock without an error for the caller', async () => {
      const store = openStore(database.config);
      const heavy = Array.from({ length: 500 }, (_, n) => ({ ...message(`heavy ${n}`), messageBox: 'heavy' }));
      const [first, last] = [message('a first'), message('z last')];
      await store.storeMessages([first, ...heavy, last]);
      const unknown = Array.from({ length: 1_200 }, (_, n) => `m unknown ${n}`);
      await beside(async (rival) => {
        // Having changed more, the rival is the one that the database spares.
        await rival('messages')
          .update({ body: 'changed' })
          .whereNot({ messageId: Buffer.from(first.messageId) });
        const acknowledged = store.acknowledgeMessages('r', [first.messageId, ...unknown, last.messageId]);
        const settled = Promise.allSettled([acknowledged]);
        await waitForLockWait();
        await rival('messages')
          .where({ messageId: Buffer.from(first.messageId) })
          .forUpdate();
        await rival.commit();
        expect(await settled).toEqual([{ status: 'fulfilled', value: 2 }]);
      });
      await store.close();
    });

    test('a lock that stays held makes the store unavailable in time', async () => {
      const store = openStore(database.config);
      const claim = { key: Buffer.alloc(32, 7), expiresAt: new Date() };
      await beside(async (rival) => {
        await rival.raw('INSERT INTO request_claims VALUES (?, NOW(3))', [claim.key]);
        expect(await unavailable(store.claimRequest(claim), 9_000)).toMatchObject({ errno: 1205 });
      });
      expect(await store.claimRequest(claim)).toBe(true);
      await store.close();
    });

    /** Does something in a transaction of another connection, which ends when `work` does. */
    async function beside(work: (rival: Knex.Transaction) => Promise<void>): Promise<void> {
      const knex = createKnex(database.config);
      const rival = await knex.transaction();
      try {
        await work(rival);
      } finally {
        if (!rival.isCompleted()) await rival.rollback();
        await knex.destroy();
      }
    }

    /** Until somebody in the database waits for a lock. */
    async function waitForLockWait(): Promise<void> {
      const connection = await createConnection({ uri: database.url });
      const name = new URL(database.url).pathname.slice(1);
      const deadline = performance.now() + 15_000;
      try {
        while (!(await hasLockWait(connection, name))) {
          if (performance.now() > deadline) throw new Error('Nobody came to wait for a lock.');
          // InnoDB renews MariaDB's view only when it was left alone for a tenth of a second.
          await delay(150);
        }
      } finally {
        await connection.end();
      }
    }

    test('a box is listed along its index, without sorting', async () => {
      const store = openStore(database.config);
      for (const messageBox of ['b', 'c', 'd']) {
        await store.storeMessages(
          Array.from({ length: 300 }, (_, n) => ({ ...message(`${messageBox} ${n}`), messageBox })),
        );
      }
      await store.close();
      const knex = createKnex(database.config);
      await knex.raw('ANALYZE TABLE messages, messageBox');
      const [plan] = await knex.raw(
        `EXPLAIN FORMAT=TRADITIONAL SELECT m.id FROM messageBox b JOIN messages m ON m.messageBoxId = b.messageBoxId
         WHERE b.identityKey = ? AND b.type = ? AND m.id > ? ORDER BY m.id LIMIT 10`,
        [Buffer.from('r'), Buffer.from('b'), 0],
      );
      expect(plan.map((row: { key: string }) => row.key)).toEqual([
        'messagebox_identitykey_type_unique',
        'messages_box_order_index',
      ]);
      for (const { Extra } of plan) expect(Extra ?? '').not.toContain('filesort');
      await knex.destroy();
    });
  });
});

interface Proxy {
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops passing anything on. Connections stay open, new ones too. */
  freeze(): void;
  thaw(): void;
  /** Breaks every connection; resolves when the proxy has seen them end. */
  cut(): Promise<void>;
  /** Resolves when bytes have arrived that a frozen proxy does not pass on. */
  received(): Promise<void>;
}

/** A way to a database server that can be interrupted without touching the server. */
async function startProxy(target: URL): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let onReceived = () => {};
  const port = await findFreePort(); // nobody else takes it while it is stopped
  let server: Server | undefined;

  function accept(client: Socket) {
    const upstream = connect(Number(target.port || 3306), target.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!frozen) to.write(bytes);
        else onReceived();
      });
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  }

  async function cut() {
    const ended = [...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.destroy();
    await Promise.all(ended);
  }

  async function start() {
    const listening = createServer(accept);
    await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
    server = listening;
  }

  async function stop() {
    const stopping = server;
    server = undefined;
    if (!stopping) return;
    const closed = new Promise((resolve) => stopping.close(resolve));
    await cut();
    await closed;
  }

  await start();
  return {
    port,
    start,
    stop,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
    },
    cut,
    received: () => new Promise((resolve) => (onReceived = resolve)),
  };
}
