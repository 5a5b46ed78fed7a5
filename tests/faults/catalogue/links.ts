import type { Link } from '../world/link.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';
import { repeatedly } from './repeat.ts';

/** The links of some services to Redis or to the database. */
type Links = (world: World) => readonly Link[];

interface LinkFault {
  readonly name: string;
  /** Whose link it is, for people. */
  readonly whose: string;
  readonly links: Links;
  readonly quick?: boolean;
}

const redisOfRealtime: Links = ({ realtimes }) => [realtimes[0].redis];
const redisOfApi: Links = ({ apis }) => [apis[0].redis];
const redisOfAll: Links = ({ services }) => services.map(({ redis }) => redis);
const databaseOfRealtime: Links = ({ realtimes }) => [realtimes[0].database];
const databaseOfApi: Links = ({ apis }) => [apis[0].database];
const databaseOfAll: Links = ({ services }) => services.map(({ database }) => database);

/** Reset, and refused for 10 s. */
const cut = ({ name, whose, links, quick = false }: LinkFault): Fault => ({
  name,
  does: `${whose} is cut and refused for 10 s`,
  seconds: 10,
  quick,
  start: (world) => {
    for (const link of links(world)) link.disconnect();
  },
  end: async (world) => {
    await Promise.all(links(world).map((link) => link.connect()));
  },
});

/** Reset once a second. */
const flapping = ({ name, whose, links, quick = false }: LinkFault): Fault =>
  repeatedly({
    name,
    does: `${whose} is cut each second for 10 s`,
    seconds: 10,
    quick,
    everyMs: 1_000,
    act: (world) => {
      for (const link of links(world)) link.cut();
    },
  });

/** The connections never come back to life. The trial goes on as if the fault ended after 10 s, when all has to work again. */
const silent = ({ name, whose, links, quick = false }: LinkFault): Fault => ({
  name,
  does: `${whose} falls silent: open connections answer nothing any more, and new ones work`,
  seconds: 10,
  quick,
  start: async (world) => {
    await Promise.all(links(world).map((link) => link.silence()));
  },
});

/** Each byte is late. */
const slow = ({ name, whose, links }: LinkFault, delayMs: number): Fault => ({
  name,
  does: `${whose} is slow for 10 s: ${delayMs} ms in each direction`,
  seconds: 10,
  start: (world) => {
    for (const link of links(world)) link.slowDown(delayMs);
  },
  end: (world) => {
    for (const link of links(world)) link.slowDown(0);
  },
});

const realtimesRedis = 'the link of one realtime to Redis';
const apisRedis = 'the link of one api to Redis';
const everyRedis = 'every link to Redis';
const everyDatabase = 'every link to the database';

export const redisCutRealtime = cut({
  name: 'redis-cut-realtime',
  whose: realtimesRedis,
  links: redisOfRealtime,
});
export const redisFlappingAll = flapping({ name: 'redis-flapping-all', whose: everyRedis, links: redisOfAll });
export const redisSilentRealtime = silent({
  name: 'redis-silent-realtime',
  whose: realtimesRedis,
  links: redisOfRealtime,
  quick: true,
});
export const redisSilentAll = silent({ name: 'redis-silent-all', whose: everyRedis, links: redisOfAll });
export const databaseFlappingAll = flapping({
  name: 'database-flapping-all',
  whose: everyDatabase,
  links: databaseOfAll,
});
export const databaseSlow = slow({ name: 'database-slow', whose: everyDatabase, links: databaseOfAll }, 100);

export const linkFaults: readonly Fault[] = [
  redisCutRealtime,
  cut({ name: 'redis-cut-api', whose: apisRedis, links: redisOfApi }),
  cut({ name: 'redis-cut-all', whose: everyRedis, links: redisOfAll }),
  flapping({ name: 'redis-flapping-realtime', whose: realtimesRedis, links: redisOfRealtime }),
  redisFlappingAll,
  redisSilentRealtime,
  silent({ name: 'redis-silent-api', whose: apisRedis, links: redisOfApi }),
  redisSilentAll,
  slow({ name: 'redis-slow', whose: everyRedis, links: redisOfAll }, 300),
  cut({ name: 'database-cut-api', whose: 'the link of one api to the database', links: databaseOfApi }),
  cut({ name: 'database-cut-realtime', whose: 'the link of one realtime to the database', links: databaseOfRealtime }),
  cut({ name: 'database-cut-all', whose: everyDatabase, links: databaseOfAll }),
  databaseFlappingAll,
  silent({ name: 'database-silent-api', whose: 'the link of one api to the database', links: databaseOfApi }),
  silent({
    name: 'database-silent-realtime',
    whose: 'the link of one realtime to the database',
    links: databaseOfRealtime,
  }),
  silent({ name: 'database-silent-all', whose: everyDatabase, links: databaseOfAll }),
  databaseSlow,
];
