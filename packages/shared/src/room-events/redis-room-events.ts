import { randomUUID } from 'node:crypto';
import type { RoomSubscriptions } from '@messagebox/messages';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import type { Logger } from 'pino';
import type { Server } from 'socket.io';
import { earlier, type Moment } from '../redis/moment.js';
import type { RedisClients } from '../redis/redis-clients.js';
import { ControlChannel, type PubSubCalls } from './control-channel.js';
import { IdentityNotices } from './identity-notices.js';
import { ANNOUNCE_INTERVAL_MS, PublisherOutages } from './publisher-outages.js';
import { RedisSubscriptions } from './redis-subscriptions.js';
import { RoomEventGaps } from './room-event-gaps.js';
import { UntilDone } from './until-done.js';

/** Carries room events among instances: a socket.io adapter, and its subscriptions for the rooms of this instance. */
export interface RoomEventBroker extends RoomSubscriptions {
  readonly kind: 'in-process' | 'redis-sharded' | 'redis-classic';
  /** For `new Server({adapter})`. Undefined: socket.io's own adapter, which reaches this process only. */
  readonly adapter: Parameters<Server['adapter']>[0] | undefined;
  /** Reports when events may have been missed, as soon as events arrive again. Never within one process. */
  readonly gaps: RoomEventGaps;
  /** Tells all instances, this one too, what has changed about an identity. */
  readonly notices: IdentityNotices;
}

export interface RedisRoomEventBroker extends RoomEventBroker {
  /** How many publishes of room events have failed in this process. */
  readonly unpublished: number;
}

/** An announcement takes a while to arrive. It is repeated when Redis has not confirmed it within a second. */
const ANNOUNCEMENT_MARGIN_MS = 5_000;

const SHARDED: PubSubCalls = { publish: 'spublish', subscribe: 'ssubscribe', messageEvent: 'smessageBuffer' };
const CLASSIC: PubSubCalls = { publish: 'publish', subscribe: 'subscribe', messageEvent: 'messageBuffer' };

/** Room events within this process, for standalone. */
export function createInProcessRoomEvents(): RoomEventBroker {
  return {
    kind: 'in-process',
    adapter: undefined,
    gaps: new RoomEventGaps(),
    notices: new IdentityNotices(),
    waitUntilReady: async () => undefined,
  };
}

/**
 * Room events through Redis. With sharded pub/sub (Redis 7) there is a channel for each room, so an instance receives only
 * the events of its own rooms. With an older Redis, the classic adapter gives every instance the events of all rooms.
 *
 * `gaps` reports when the subscriptions were lost and hold again, and when any process could not publish for a while.
 */
export async function createRedisRoomEvents(
  clients: RedisClients,
  prefix: string,
  log: Logger,
): Promise<RedisRoomEventBroker> {
  const { commands, subscriber } = clients;
  const isSharded = await hasShardedPubSub(clients);
  const channelPrefix = `${prefix}:rooms`;
  const gaps = new RoomEventGaps();
  const calls = isSharded ? SHARDED : CLASSIC;
  const control = new ControlChannel(clients, calls, `${channelPrefix}:control`);
  const notices = new IdentityNotices(control, log);
  const outages = await watchOutages(clients, { calls, channelPrefix, control, gaps, notices, log });
  const shared = {
    gaps,
    notices,
    get unpublished() {
      return outages.unpublished;
    },
  };
  if (!isSharded) {
    log.warn('Redis has no sharded pub/sub (Redis 7): every realtime instance receives the events of all rooms');
    return Object.assign(shared, {
      kind: 'redis-classic' as const,
      adapter: createAdapter(commands, subscriber, { key: channelPrefix }),
      // One pattern subscription covers all rooms. A round trip on the same connection confirms that it is active.
      waitUntilReady: async (namespace: string) =>
        void (await subscriber.psubscribe(`${channelPrefix}#${namespace}#*`)),
    });
  }
  return Object.assign(shared, {
    kind: 'redis-sharded' as const,
    adapter: createShardedAdapter(commands, subscriber, { channelPrefix, subscriptionMode: 'dynamic' }),
    // The adapter subscribes when a room is created and does not wait for Redis. Replies on one connection keep their
    // order, so the reply to a second subscription confirms that the first one is active.
    waitUntilReady: async (namespace: string, room: string) =>
      void (await subscriber.ssubscribe(`${channelPrefix}#${namespace}#${room}#`)),
  });
}

interface WatchOutagesOptions {
  readonly calls: PubSubCalls;
  readonly channelPrefix: string;
  readonly control: ControlChannel;
  readonly gaps: RoomEventGaps;
  readonly notices: IdentityNotices;
  readonly log: Logger;
}

/** Reports the gaps of this process, and exchanges with others what they may have missed. */
async function watchOutages(
  clients: RedisClients,
  { calls, channelPrefix, control, gaps, notices, log }: WatchOutagesOptions,
): Promise<PublisherOutages> {
  const { commands, subscriber, monitors } = clients;
  const id = randomUUID();
  const outages = new PublisherOutages({
    commands,
    method: calls.publish,
    isRoomChannel: (channel) => isRoomChannel(channel, channelPrefix),
    control,
    log,
  });
  /** The begin of the outages of this instance that the publishers do not know of yet. */
  let deafSince: Moment | undefined;
  const question = new UntilDone(async () => {
    if (deafSince === undefined) return;
    const asked = deafSince;
    await control.send({ type: 'renewed', agoMs: asked.ageMs, from: id });
    if (deafSince === asked) deafSince = undefined;
  }, ANNOUNCE_INTERVAL_MS);
  commands.on('end', () => question.close());
  new RedisSubscriptions({
    subscriber,
    monitor: monitors.subscriber,
    log,
    onRenewed: ({ since, reason }) => {
      log.info({ reason, sinceMs: Math.round(since.ageMs) }, 'room events arrive again; some may have been missed');
      gaps.report({ reason, since: since.time });
      deafSince = earlier(deafSince, since);
      question.request();
    },
  });
  const listening = control.listen((message) => {
    if (message.type === 'blocks_changed' || message.type === 'account_deleted') {
      notices.deliver(message);
      return;
    }
    if (message.type === 'renewed') {
      if (message.from !== id) outages.answerRenewed(message.agoMs, message.from);
      return;
    }
    if (message.to !== undefined && message.to !== id) return;
    gaps.report({ reason: 'publisher_failed', since: Date.now() - message.agoMs - ANNOUNCEMENT_MARGIN_MS });
  });
  // A subscription that Redis refuses is logged and tried again.
  await listening.catch(() => undefined);
  return outages;
}

/** Whether a channel of the adapters is that of a room: `PREFIX#NAMESPACE#ROOM#`. Others carry `PREFIX#NAMESPACE#`. */
function isRoomChannel(channel: string, channelPrefix: string): boolean {
  if (!channel.startsWith(`${channelPrefix}#`)) return false;
  return channel.slice(channelPrefix.length + 1).split('#', 3).length === 3;
}

async function hasShardedPubSub({ commands }: RedisClients): Promise<boolean> {
  const [known] = (await commands.call('COMMAND', 'INFO', 'SPUBLISH')) as [unknown];
  return Array.isArray(known);
}
