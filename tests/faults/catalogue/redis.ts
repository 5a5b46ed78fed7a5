import type { Fault } from './fault.ts';
import { repeatedly } from './repeat.ts';

export const redisKilled: Fault = {
  name: 'redis-killed',
  does: 'Redis is killed, and is back empty after 5 s',
  seconds: 5,
  quick: true,
  start: ({ redis }) => redis.kill(),
  end: ({ redis }) => redis.start(),
};

const redisRestarted: Fault = {
  name: 'redis-restarted',
  does: 'Redis is stopped in order, and is back empty at once',
  seconds: 0,
  async start({ redis }) {
    await redis.stop();
    await redis.start();
  },
};

const redisHung: Fault = {
  name: 'redis-hung',
  does: 'Redis hangs for 10 s (SIGSTOP)',
  seconds: 10,
  start: ({ redis }) => redis.pause(),
  end: ({ redis }) => redis.resume(),
};

const redisFlushed: Fault = {
  name: 'redis-flushed',
  does: 'Redis loses all its keys, and no connection',
  seconds: 0,
  start: async ({ redisAdmin }) => void (await redisAdmin.run('FLUSHALL')),
};

/** Redis ends connections; it works on. */
const clientsKilled: Fault = {
  name: 'clients-killed',
  does: 'CLIENT KILL of all connections',
  seconds: 0,
  start: ({ redisAdmin }) => redisAdmin.killClients(),
};

export const subscribersKilled: Fault = {
  name: 'subscribers-killed',
  does: 'CLIENT KILL of all subscribers',
  seconds: 0,
  start: ({ redisAdmin }) => redisAdmin.killClients('pubsub'),
};

const subscribersKilledOften = repeatedly({
  name: 'subscribers-killed-often',
  does: 'CLIENT KILL of all subscribers each second for 10 s',
  seconds: 10,
  everyMs: 1_000,
  act: ({ redisAdmin }) => redisAdmin.killClients('pubsub'),
});

/** Redis refuses what it is asked. */
const redisRefusesWrites: Fault = {
  name: 'redis-refuses-writes',
  does: 'Redis refuses all writes for 10 s, as a primary without its replicas does',
  seconds: 10,
  start: ({ redisAdmin }) => redisAdmin.configure('min-replicas-to-write', '1'),
  end: ({ redisAdmin }) => redisAdmin.configure('min-replicas-to-write', '0'),
};

const redisOutOfMemory: Fault = {
  name: 'redis-out-of-memory',
  does: 'Redis has no memory left for 10 s, and evicts nothing',
  seconds: 10,
  start: ({ redisAdmin }) => redisAdmin.configure('maxmemory', '1'),
  end: ({ redisAdmin }) => redisAdmin.configure('maxmemory', '0'),
};

export const redisFaults: readonly Fault[] = [
  redisKilled,
  redisRestarted,
  redisHung,
  redisFlushed,
  clientsKilled,
  subscribersKilled,
  subscribersKilledOften,
  redisRefusesWrites,
  redisOutOfMemory,
];
