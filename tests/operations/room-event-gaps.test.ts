import { waitUntil } from '@messagebox/test-kit';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { Redis } from 'ioredis';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type ControlWatch, openInstance, type RoomEventInstance, watchControlChannel } from './room-event-instance.js';

const ROOM = 'somebody-inbox';
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(url: string, prefix: string, isClassic = false): Promise<RoomEventInstance> {
  const instance = await openInstance(url, prefix, { isClassic });
  closers.push(() => instance.close());
  return instance;
}

async function proxyTo(url: string): Promise<TcpProxy> {
  const proxy = await createTcpProxy({ target: url });
  closers.push(() => proxy.close());
  return proxy;
}

async function watchControl(url: string, prefix: string): Promise<ControlWatch> {
  const control = await watchControlChannel(url, prefix);
  closers.push(() => control.close());
  return control;
}

/** Waits until everything that was sent to an instance so far has arrived there. */
async function settle(instance: RoomEventInstance): Promise<void> {
  const now = Date.now();
  await waitUntil('a heartbeat is answered', () => instance.clients.monitors.subscriber.lastAnswer.time > now);
}

/** Waits for a gap, and publishes at that moment: then, the subscriptions must hold. To be called before the fault. */
async function expectNothingMissedAfterGap(deaf: RoomEventInstance, speaker: RoomEventInstance): Promise<void> {
  const canSpeak = () => speaker.clients.findProblem() === undefined;
  const speak = () => speaker.publish(ROOM, 'after the gap');
  deaf.broker.gaps.onGap(({ reason }) => {
    if (reason === 'publisher_failed') return;
    if (canSpeak()) speak();
    else void waitUntil('the speaker can speak', canSpeak).then(speak);
  });
  await deaf.heard.waitFor((text) => text === 'after the gap');
}

let prefixes = 0;

describeWithRedis('gaps in room events', ({ url, prefix }) => {
  const nextPrefix = (): string => `${prefix}${++prefixes}`;

  describe.each(['sharded', 'classic'])('with %s pub/sub', (kind) => {
    const isClassic = kind === 'classic';

    test('a subscriber that falls silent is replaced, and what was missed meanwhile is a gap', async () => {
      const at = nextPrefix();
      const proxy = await proxyTo(url);
      const [deaf, speaker] = [await open(proxy.url, at, isClassic), await open(url, at, isClassic)];
      expect(deaf.broker.kind).toBe(`redis-${kind}`);
      await deaf.join(ROOM);
      const openedAt = Date.now();
      await settle(deaf);

      const heard = expectNothingMissedAfterGap(deaf, speaker);
      proxy.stall();
      const stalledAt = Date.now();
      speaker.publish(ROOM, 'missed');
      await heard;

      expect(deaf.heard.all).toEqual(['after the gap']);
      const [gap] = deaf.gaps.all;
      expect(gap?.reason).toBe('connection_silent');
      expect(gap?.since).toBeLessThanOrEqual(stalledAt);
      expect(gap?.since).toBeGreaterThanOrEqual(openedAt);
    });

    test('events that could not be published are counted, and every instance is told afterwards', async () => {
      const at = nextPrefix();
      const proxy = await proxyTo(url);
      const [mute, other] = [await open(proxy.url, at, isClassic), await open(url, at, isClassic)];
      proxy.refuse();
      proxy.cut();
      await waitUntil('it is lost', () => mute.clients.findProblem() !== undefined);
      const failedAt = Date.now();
      mute.publish(ROOM, 'one');
      mute.publish(ROOM, 'two');
      await waitUntil('both are counted', () => mute.broker.unpublished === 2);
      await proxy.accept();

      const gaps = [
        await other.gaps.waitFor(({ reason }) => reason === 'publisher_failed'),
        await mute.gaps.waitFor(({ reason }) => reason === 'publisher_failed'),
      ];
      for (const { since } of gaps) expect(since).toBeLessThanOrEqual(failedAt);
      await mute.log.waitFor(({ msg }) => msg.includes('published again'));
      const lines = mute.log.all.map(({ msg }) => msg).filter((msg) => msg.includes('published'));
      expect(lines).toEqual([
        'room events are not published',
        'room events are published again; the instances were told',
      ]);
    });
  });

  test('a room that is joined on a silent connection is ready after the reconnect', async () => {
    const at = nextPrefix();
    const proxy = await proxyTo(url);
    const [deaf, speaker] = [await open(proxy.url, at), await open(url, at)];
    proxy.stall();
    await deaf.join(ROOM);
    speaker.publish(ROOM, 'hello');
    await deaf.heard.waitFor((text) => text === 'hello');
  });

  test('a room that was left is not subscribed to again', async () => {
    const at = nextPrefix();
    const proxy = await proxyTo(url);
    const deaf = await open(proxy.url, at);
    await deaf.join(ROOM);
    await deaf.join('somebody-other');
    deaf.leave(ROOM);
    proxy.cut();
    await deaf.gaps.waitFor(() => true);
    const count = (room: string) => deaf.clients.commands.call('PUBSUB', 'SHARDNUMSUB', `${at}:rooms#/#${room}#`);
    await waitUntil('it can ask', () => deaf.clients.findProblem() === undefined);
    expect(await count('somebody-other')).toEqual([expect.any(String), 1]);
    expect(await count(ROOM)).toEqual([expect.any(String), 0]);
  });

  test('a subscriber that is cut off again and again reports one gap from the first loss on', async () => {
    const at = nextPrefix();
    const proxy = await proxyTo(url);
    const [deaf, speaker] = [await open(proxy.url, at), await open(url, at)];
    await deaf.join(ROOM);
    await settle(deaf);
    const heard = expectNothingMissedAfterGap(deaf, speaker);
    const cutAt = Date.now();
    // Each new connection is cut before any subscription can be confirmed on it.
    let cuts = 0;
    deaf.clients.subscriber.on('ready', () => {
      if (++cuts <= 3) proxy.cut();
    });
    proxy.cut();
    await heard;
    expect(deaf.gaps.all).toHaveLength(1);
    expect(deaf.gaps.all[0]?.since).toBeLessThanOrEqual(cutAt);
  });

  test('an event whose publishing gets no answer counts as unpublished', async () => {
    const at = nextPrefix();
    const proxy = await proxyTo(url);
    const [mute, other] = [await open(proxy.url, at), await open(url, at)];
    proxy.stall();
    const stalledAt = Date.now();
    mute.publish(ROOM, 'into the void');
    const gap = await other.gaps.waitFor(({ reason }) => reason === 'publisher_failed');
    expect(gap.since).toBeLessThanOrEqual(stalledAt);
    expect(mute.broker.unpublished).toBe(1);
  });

  test('nothing is announced when nothing failed to be published', async () => {
    const at = nextPrefix();
    const proxy = await proxyTo(url);
    const [quiet, other] = [await open(proxy.url, at), await open(url, at)];
    const { messages } = await watchControl(url, at);
    await other.join(ROOM);
    quiet.publish(ROOM, 'before');
    await other.heard.waitFor((text) => text === 'before');
    for (let round = 1; round <= 2; round += 1) {
      proxy.cut();
      await quiet.gaps.waitFor(() => quiet.gaps.all.length === round);
      // An announcement would come as soon as this, so that of the first round would come before this of the second.
      await messages.waitFor(() => messages.all.length >= round);
    }
    expect(messages.all.map(({ type }) => type)).toEqual(['renewed', 'renewed']);
    expect(other.gaps.all).toEqual([]);
    expect(quiet.broker.unpublished).toBe(0);
  });

  test('an instance that was cut off while others were told is told when it is back', async () => {
    const at = nextPrefix();
    const [proxy, otherProxy] = [await proxyTo(url), await proxyTo(url)];
    const [mute, other] = [await open(proxy.url, at), await open(otherProxy.url, at)];
    const { messages } = await watchControl(url, at);
    proxy.refuse();
    proxy.cut();
    await waitUntil('it is lost', () => mute.clients.findProblem() !== undefined);
    const failedAt = Date.now();
    mute.publish(ROOM, 'missed by all');
    await waitUntil('it is counted', () => mute.broker.unpublished === 1);
    // The other one is cut off later than that, so its own gap begins too late.
    await settle(other);
    otherProxy.refuse();
    otherProxy.cut();
    await proxy.accept();
    await messages.waitFor(({ type }) => type === 'unpublished');
    await otherProxy.accept();

    const own = await other.gaps.waitFor(({ reason }) => reason === 'connection_lost');
    expect(own.since).toBeGreaterThan(failedAt);
    const told = await other.gaps.waitFor(({ reason }) => reason === 'publisher_failed');
    expect(told.since).toBeLessThanOrEqual(failedAt);
    // The one that asked was told, and nobody else a second time.
    expect(mute.gaps.all.filter(({ reason }) => reason === 'publisher_failed')).toHaveLength(1);
  });

  test('foreign texts on the control channel change nothing', async () => {
    const at = nextPrefix();
    const instance = await open(url, at);
    const { commands } = instance.clients;
    const texts = [
      '',
      'null',
      '[]',
      '{"type":"unpublished"}',
      '{"type":"unpublished","agoMs":-1}',
      '{"type":"unpublished","agoMs":"1"}',
      '{"type":"unpublished","agoMs":1,"to":7}',
      '{"type":"unpublished","agoMs":1,"to":"another instance"}',
      '{"type":"renewed","agoMs":1}',
      '{"type":"later","agoMs":1}',
      `{"type":"unpublished","agoMs":1,"more":"${'x'.repeat(1_000)}"}`,
    ];
    for (const text of texts) await commands.spublish(`${at}:rooms:control`, text);
    const before = Date.now();
    await commands.spublish(`${at}:rooms:control`, '{"type":"unpublished","agoMs":60000}');
    const gap = await instance.gaps.waitFor(() => true);
    expect(instance.gaps.all).toHaveLength(1);
    expect(gap.since).toBeLessThan(before - 59_000);
  });
});

describeWithManagedRedis('gaps after a fault of Redis', () => {
  let redis: ManagedServer;
  beforeAll(async () => {
    redis = (await startRedisServer()) as ManagedServer;
  });
  afterAll(() => redis.close());

  test('a failover to another Redis, which knows no subscriptions, leaves a gap', async () => {
    const next = (await startRedisServer()) as ManagedServer;
    closers.push(() => next.close());
    const at = `gaps${++prefixes}`;
    const proxy = await proxyTo(redis.url);
    const [deaf, speaker] = [await open(proxy.url, at), await open(proxy.url, at)];
    await deaf.join(ROOM);
    const heard = expectNothingMissedAfterGap(deaf, speaker);
    proxy.setTarget(next.url);
    proxy.cut();
    await heard;
  });

  test.each(['kills its subscribers', 'is killed and comes back empty', 'hangs and goes on'])(
    'a Redis that %s leaves a gap',
    async (fault) => {
      const at = `gaps${++prefixes}`;
      const [deaf, speaker] = [await open(redis.url, at), await open(redis.url, at)];
      await deaf.join(ROOM);
      await settle(deaf);
      const heard = expectNothingMissedAfterGap(deaf, speaker);
      const before = Date.now();
      if (fault === 'kills its subscribers') {
        const admin = new Redis(redis.url);
        closers.push(() => admin.disconnect());
        await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      } else if (fault === 'is killed and comes back empty') {
        await redis.kill();
        await redis.start();
      } else {
        redis.pause();
        await deaf.log.waitFor(({ msg, connection }) => msg === 'Redis connection lost' && connection === 'subscriber');
        redis.resume();
      }
      await heard;
      expect(deaf.gaps.all[0]?.since).toBeLessThanOrEqual(before);
    },
  );

  test('a subscription that Redis refuses is tried again, and leaves a gap', async () => {
    const at = `gaps${++prefixes}`;
    const admin = new Redis(redis.url);
    closers.push(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', at, 'on', '>secret', 'allcommands', 'resetchannels', `&${at}:rooms:control`);
    const deaf = await open(redis.url.replace('://', `://${at}:secret@`), at);
    const speaker = await open(redis.url, at);
    await expect(deaf.join(ROOM)).rejects.toThrow('NOPERM');
    await deaf.log.waitFor(({ msg }) => msg === 'Redis refused a subscription');
    const before = Date.now();
    await admin.call('ACL', 'SETUSER', at, `&${at}:*`);
    await waitUntil('it hears again', () => {
      speaker.publish(ROOM, 'hello');
      return deaf.heard.all.length > 0;
    });
    const gap = await deaf.gaps.waitFor(() => true);
    expect(gap.reason).toBe('subscription_renewed');
    expect(gap.since).toBeLessThanOrEqual(before);
  });

  test('a user without the right to PING has connections that count as alive', async () => {
    const at = `gaps${++prefixes}`;
    const admin = new Redis(redis.url);
    closers.push(() => admin.disconnect());
    await admin.call('ACL', 'SETUSER', at, 'on', '>secret', 'allcommands', '-ping', 'allchannels');
    const instance = await open(redis.url.replace('://', `://${at}:secret@`), at);
    await settle(instance);
    expect(instance.clients.findProblem()).toBeUndefined();
    expect(instance.log.all).toEqual([]);
  });
});
