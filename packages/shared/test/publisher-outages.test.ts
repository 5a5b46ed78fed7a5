import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import type { ControlChannel, ControlMessage } from '../src/room-events/control-channel.js';
import { PublisherOutages } from '../src/room-events/publisher-outages.js';

describe('the outages of a publisher', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  /** A publisher whose connection to Redis is down until it is told otherwise. */
  const createPublisher = () => {
    const sent: ControlMessage[] = [];
    const state = { isDown: true };
    const spublish = async () => {
      if (state.isDown) throw new Error('down');
      return 1;
    };
    const commands = Object.assign(new EventEmitter(), { spublish }) as unknown as Redis;
    const control = {
      send: async (message: ControlMessage) => {
        if (state.isDown) throw new Error('down');
        sent.push(message);
      },
    } as ControlChannel;
    const outages = new PublisherOutages({
      commands,
      method: 'spublish',
      isRoomChannel: (channel) => channel.startsWith('room'),
      control,
      log: pino({ level: 'silent' }),
    });
    const publish = (channel = 'room 1') => commands.spublish(channel, 'text').catch(() => undefined);
    /** An outage of a second, of which all are told at its end. */
    const fail = async () => {
      state.isDown = true;
      await publish();
      await jest.advanceTimersByTimeAsync(1_000);
      state.isDown = false;
      await jest.advanceTimersByTimeAsync(1_000);
    };
    return { outages, publish, fail, sent, state };
  };

  test('are announced once, with the age of the first event', async () => {
    const { outages, publish, sent, state } = createPublisher();
    await publish();
    await jest.advanceTimersByTimeAsync(2_000);
    await publish('room 2');
    expect(sent).toEqual([]);
    state.isDown = false;
    await jest.advanceTimersByTimeAsync(500);
    expect(sent).toEqual([{ type: 'unpublished', agoMs: 2_500 }]);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(sent).toHaveLength(1);
    expect(outages.unpublished).toBe(2);
  });

  test('do not include other channels than those of rooms', async () => {
    const { outages, publish, sent, state } = createPublisher();
    await publish('hints');
    state.isDown = false;
    await jest.advanceTimersByTimeAsync(10_000);
    expect([sent, outages.unpublished]).toEqual([[], 0]);
  });

  test('are told to an instance that has its subscriptions back, unless it has heard of them or catches up by itself', async () => {
    const { outages, fail, sent } = createPublisher();
    await fail();
    await jest.advanceTimersByTimeAsync(100_000);
    sent.splice(0);
    // It was deaf long after the announcement.
    outages.answerRenewed(50_000, 'a');
    // It was deaf since before the outage.
    outages.answerRenewed(110_000, 'b');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([]);
    // It became deaf during the outage.
    outages.answerRenewed(102_000, 'c');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([{ type: 'unpublished', agoMs: 103_500, to: 'c' }]);
  });

  test('are remembered for ever, the older ones as one', async () => {
    const { outages, fail, sent } = createPublisher();
    for (let n = 0; n < 100; n += 1) await fail();
    sent.splice(0);
    outages.answerRenewed(199_000, 'a');
    await jest.advanceTimersByTimeAsync(500);
    expect(sent).toEqual([{ type: 'unpublished', agoMs: 200_500, to: 'a' }]);
  });

  test('are told to all when too many instances ask', async () => {
    const { outages, fail, sent } = createPublisher();
    await fail();
    sent.splice(0);
    for (let n = 0; n < 101; n += 1) outages.answerRenewed(1_500, `${n}`);
    await jest.advanceTimersByTimeAsync(500);
    expect(sent).toHaveLength(101);
    expect(sent.filter((message) => message.type === 'unpublished' && message.to === undefined)).toHaveLength(1);
  });
});
