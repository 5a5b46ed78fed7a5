import {
  type ConnectRedisOptions,
  connectRedis,
  createLogger,
  createRedisRoomEvents,
  type RedisClients,
  type RedisRoomEventBroker,
  type RoomEventGap,
} from '@messagebox/shared';
import { EventHistory } from '@messagebox/test-kit';
import { Redis } from 'ioredis';

/** Short times, and long enough for a Redis that shares a busy machine with the test. */
export const QUICK_HEARTBEAT = { intervalMs: 200, maxSilentIntervals: 10 };

const SOCKET_ID = 'socket';
/** The packet type of socket.io for events. */
const EVENT_PACKET = 2;

interface Packet {
  readonly type: number;
  readonly data: readonly unknown[];
}

/** What socket.io calls of its adapter here. */
interface Adapter {
  addAll(id: string, rooms: Set<string>): void;
  del(id: string, room: string): void;
  broadcast(packet: Packet, options: { readonly rooms: Set<string>; readonly except: Set<string> }): void;
}

/** One log line, parsed. */
export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The part of a process that publishes room events and hears those of others, without sockets. */
export interface RoomEventInstance {
  readonly clients: RedisClients;
  readonly broker: RedisRoomEventBroker;
  readonly log: EventHistory<LogLine>;
  /** The gaps that were reported, as they come. */
  readonly gaps: EventHistory<RoomEventGap>;
  /** What arrived here through Redis: the texts of all rooms that were joined. */
  readonly heard: EventHistory<string>;
  /** Joins a room as a socket does; resolves when the subscription holds. */
  join(room: string): Promise<void>;
  leave(room: string): void;
  publish(room: string, text: string): void;
  close(): void;
}

export async function openInstance(
  url: string,
  prefix: string,
  { isClassic = false, ...options }: ConnectRedisOptions & { readonly isClassic?: boolean } = {},
): Promise<RoomEventInstance> {
  const log = new EventHistory<LogLine>('log line');
  const logger = createLogger('test', 'info', { write: (line) => void log.add(JSON.parse(line) as LogLine) });
  const clients = await connectRedis(url, logger, { heartbeat: QUICK_HEARTBEAT, ...options });
  // So Redis 6 answers COMMAND INFO for a command that it does not have.
  if (isClassic) clients.commands.call = (async () => [null]) as typeof clients.commands.call;
  const broker = await createRedisRoomEvents(clients, prefix, logger);
  const gaps = new EventHistory<RoomEventGap>('gap');
  broker.gaps.onGap((gap) => gaps.add(gap));
  const heard = new EventHistory<string>('room event');
  const sockets = new Map<string, unknown>();
  const createAdapter = broker.adapter as unknown as (namespace: unknown) => Adapter;
  const adapter = createAdapter({ name: '/', sockets, server: { encoder: { encode: () => [] }, opts: {} } });
  // The adapter hands what it received to the sockets of a room. This one stands in for a client's.
  sockets.set(SOCKET_ID, {
    notifyOutgoingListeners: (packet: Packet) => heard.add(String(packet.data[1])),
    client: { writeToEngine: () => undefined },
  });
  return {
    clients,
    broker,
    log,
    gaps,
    heard,
    async join(room) {
      adapter.addAll(SOCKET_ID, new Set([room]));
      await broker.waitUntilReady('/', room);
    },
    leave(room) {
      adapter.del(SOCKET_ID, room);
    },
    publish(room, text) {
      adapter.broadcast({ type: EVENT_PACKET, data: ['text', text] }, { rooms: new Set([room]), except: new Set() });
    },
    close: () => clients.close(),
  };
}

/** The messages by which instances tell each other about missed events. */
export interface ControlWatch {
  readonly messages: EventHistory<{ readonly type: string; readonly agoMs: number }>;
  close(): void;
}

/** Hears what instances tell each other about missed events. */
export async function watchControlChannel(url: string, prefix: string): Promise<ControlWatch> {
  const redis = new Redis(url);
  const messages = new EventHistory<{ readonly type: string; readonly agoMs: number }>('control message');
  redis.on('smessage', (_channel: string, text: string) => messages.add(JSON.parse(text)));
  await redis.ssubscribe(`${prefix}:rooms:control`);
  return { messages, close: () => redis.disconnect() };
}
