import { waitUntil } from '@messagebox/test-kit';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { Server } from 'socket.io';
import { connectRedis, createLogger, createPushWakeupSender, onPushWakeup } from '../src/index.js';
import { createRedisRoomEvents } from '../src/room-events/redis-room-events.js';

describeWithRedis('hints', ({ url, prefix }) => {
  const log = createLogger('test', 'info', { write: () => {} });
  const closers: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closers) await close();
  });
  const instance = async (): Promise<Server> => {
    const clients = await connectRedis(url, log);
    const { adapter } = await createRedisRoomEvents(clients, prefix, log);
    const io = new Server(adapter === undefined ? {} : { adapter });
    closers.push(() => clients.close());
    return io;
  };

  test('reach every other process; a burst is a few of them, the last one after its end', async () => {
    const [sender, one, two] = [await instance(), await instance(), await instance()];
    const heard = [0, 0];
    onPushWakeup(one, () => void heard.splice(0, 1, (heard[0] as number) + 1));
    onPushWakeup(two, () => void heard.splice(1, 1, (heard[1] as number) + 1));
    const hint = createPushWakeupSender(sender);
    // Subscribing is under way: hint until both have heard.
    await waitUntil('both hear', () => {
      hint();
      return heard.every((count) => count > 0);
    });
    const before = [...heard];
    for (let i = 0; i < 10_000; i++) hint();
    await waitUntil('the end of the burst is heard', () => heard.every((count, i) => count > (before[i] as number)));
    expect(Math.max(...heard.map((count, i) => count - (before[i] as number)))).toBeLessThanOrEqual(3);
  });
});
