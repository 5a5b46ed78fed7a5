import { databaseHung, databaseKilled } from './database.ts';
import { type Fault, inBackground, together } from './fault.ts';
import {
  databaseFlappingAll,
  databaseSlow,
  redisCutRealtime,
  redisFlappingAll,
  redisSilentAll,
  redisSilentRealtime,
} from './links.ts';
import { edgeCutsEverybody, slowNetwork } from './network.ts';
import { apiKilled, realtimeKilled, realtimeStopped, rollingRestart } from './processes.ts';
import { redisKilled, subscribersKilled } from './redis.ts';

/** Two faults at the same time. */
export const pairs: readonly Fault[] = [
  together([redisKilled, databaseKilled]),
  together([redisKilled, realtimeKilled]),
  together([redisKilled, inBackground(rollingRestart)]),
  together([redisKilled, edgeCutsEverybody]),
  together([redisCutRealtime, edgeCutsEverybody]),
  together([redisCutRealtime, apiKilled]),
  together([redisSilentRealtime, apiKilled]),
  together([redisSilentAll, databaseSlow]),
  together([redisFlappingAll, databaseFlappingAll]),
  together([subscribersKilled, slowNetwork]),
  together([databaseHung, apiKilled]),
  together([databaseHung, redisCutRealtime]),
  together([databaseKilled, realtimeStopped]),
];
