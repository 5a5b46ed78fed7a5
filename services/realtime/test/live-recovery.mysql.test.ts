import { type NewMessage, openStore } from '@messagebox/store';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { RowScan } from '../src/recovery/row-scan.js';
import { type LiveServer, startLiveServer } from './support/live-server.js';
import { openSend } from './support/open-send.js';
import { PATIENT, recoverySuite } from './support/recovery-suite.js';

describeWithMysql('live recovery on MySQL', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createMysqlDatabase();
  });
  afterAll(() => database.drop());
  const getEnv = () => ({ KNEX_DB_CLIENT: 'mysql2', KNEX_DB_CONNECTION: JSON.stringify(database.url) });

  describe('as on every database', () => recoverySuite(getEnv));

  describe('row ids that are given out before the commit', () => {
    const client = new RawClient();
    const create = (messageId: string): NewMessage => ({
      recipient: client.identityKey,
      messageBox: 'inbox',
      messageId,
      sender: new RawClient().identityKey,
      body: 'hello',
    });

    it('delivers a message that commits after higher row ids were delivered and caught up with', async () => {
      const live: LiveServer = await startLiveServer(getEnv(), { recoveryTimes: { ...PATIENT, late: [600_000] } });
      const socket = await RawSocket.proven(live.url, client);
      try {
        const room = `${client.identityKey}-inbox`;
        socket.event('joinRoom', room);
        await socket.waitFor('joinedRoom');
        const { store, broker } = live.context;
        const reportGap = () => broker.gaps.report({ since: Date.now(), reason: 'connection_lost' });
        const next = async () => ((await socket.waitFor(`sendMessage-${room}`)).data as NewMessage).messageId;
        await store.storeMessages([create('first')]);
        reportGap();
        expect(await next()).toBe('first');
        const low = await openSend(database.config, create('low'));
        const high = create('high');
        const [stored] = await store.storeMessages([high]);
        live.realtime.publisher.publish({ ...high, cursor: stored?.cursor });
        expect(await next()).toBe('high');
        await store.storeMessages([create('higher')]);
        reportGap();
        expect(await next()).toBe('higher');
        await low.commit();
        reportGap();
        expect(await next()).toBe('low');
        reportGap();
        await store.storeMessages([create('last')]);
        reportGap();
        expect(await next()).toBe('last');
        await low.close();
      } finally {
        socket.close();
        await live.close();
      }
    });

    it('reads rows again when they have got older, and takes those that were committed late', async () => {
      const store = openStore(database.config);
      let [clock, ticks] = [0, 0];
      const scan = new RowScan({ store, tick: () => ++ticks, lateAfterMs: [10_000, 65_000], now: () => clock });
      const seen: string[] = [];
      const take = ({ messageId }: { messageId: string }, _seenAt: number, isLate: boolean) => {
        seen.push(`${messageId}${isLate ? ' late' : ''}`);
        return true;
      };
      /** Lets time pass, in the steps in which the database answers. */
      const readFor = async (seconds: number) => {
        for (let i = 0; i < seconds; i++) {
          clock += 1_000;
          await scan.readNew(take);
          await scan.readLate(take, false);
        }
        return seen.splice(0);
      };
      await store.storeMessages([create('box')]);
      await scan.skip();
      const soon = await openSend(database.config, create('soon'));
      const later = await openSend(database.config, create('later'));
      await store.storeMessages([create('above')]);
      expect(await readFor(5)).toEqual(['above']);
      await soon.commit();
      expect(await readFor(3)).toEqual([]);
      expect(await readFor(5)).toEqual(['soon late']);
      await later.commit();
      expect(await readFor(48)).toEqual([]);
      expect(await readFor(6)).toEqual(['later late']);
      expect(await readFor(140)).toEqual([]);
      await Promise.all([soon.close(), later.close(), store.close()]);
    });
  });
});
