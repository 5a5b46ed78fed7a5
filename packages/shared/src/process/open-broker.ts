import type { Config } from '../config/index.js';
import type { Health } from '../health/health.js';
import type { Logger } from '../logging/logger.js';
import { connectRedis } from '../redis/redis-clients.js';
import { inProcessRoomEvents, type RoomEventBroker, redisRoomEvents } from '../room-events/redis-room-events.js';
import { inProcessRoomMemory } from '../room-memory/in-process.js';
import { redisRoomMemory } from '../room-memory/redis.js';
import type { RoomMemory } from '../room-memory/room-memory.js';
import type { Closing } from './closing.js';

/** The parts that live in the broker: Redis when one is configured, else this process. The one place that chooses. */
export async function openBroker(
  config: Config,
  log: Logger,
  health: Health,
  closing: Closing,
): Promise<{ broker: RoomEventBroker; memory: RoomMemory }> {
  if (config.redis === undefined) return { broker: inProcessRoomEvents(), memory: inProcessRoomMemory() };
  const clients = await connectRedis(config.redis.url, log);
  closing.add('redis', () => clients.close());
  health.add('redis', () => clients.problem());
  return {
    broker: await redisRoomEvents(clients, config.redis.prefix, log),
    memory: redisRoomMemory(clients.commands, config.redis.prefix),
  };
}
