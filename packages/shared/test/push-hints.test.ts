import { Server } from 'socket.io';
import { until } from '../../../tests/acceptance/history.js';
import { describeWithRedis } from '../../../tests/support/with-redis.js';
import { connectRedis, createLogger, hearPushHints, redisRoomEvents, sendPushHints } from '../src/index.js';

describeWithRedis('hints', ({ url, prefix }) => {
  const log = createLogger('test', false, { write: () => {} });
  const closers: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closers) await close();
  });
  const instance = async (): Promise<Server> => {
    const clients = await connectRedis(url, log);
    const { adapter } = await redisRoomEvents(clients, prefix, log);
    const io = new Server(adapter === undefined ? {} : { adapter });
    closers.push(() => clients.close());
    return io;
  };

  test('reach every other process; a burst is a few of them, the last one after its end', async () => {
    const [sender, one, two] = [await instance(), await instance(), await instance()];
    const heard = [0, 0];
    hearPushHints(one, () => void heard.splice(0, 1, (heard[0] as number) + 1));
    hearPushHints(two, () => void heard.splice(1, 1, (heard[1] as number) + 1));
    const hint = sendPushHints(sender);
    // Subscribing is under way: hint until both have heard.
    await until('both hear', () => {
      hint();
      return heard.every((count) => count > 0);
    });
    const before = [...heard];
    for (let i = 0; i < 10_000; i++) hint();
    await until('the end of the burst is heard', () => heard.every((count, i) => count > (before[i] as number)));
    expect(Math.max(...heard.map((count, i) => count - (before[i] as number)))).toBeLessThanOrEqual(3);
  });
});
