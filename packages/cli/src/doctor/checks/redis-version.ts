import { type Check, fail, ok, warn } from '../check.js';
import { resultOf } from '../context.js';
import { isOlder } from '../is-older.js';

/** The job queue needs it. */
const MIN_VERSION = '6.2.0';
const SHARDED_PUBSUB_VERSION = '7.0.0';

/** Whether Redis is new enough, and sharded pub/sub works. */
export const redisVersion: Check = {
  name: 'Redis version',
  run: async (context) => {
    const { version, shardedPubSub } = await resultOf(context.redis, 'Redis');
    if (isOlder(version, MIN_VERSION)) return fail(version, `Use Redis ${SHARDED_PUBSUB_VERSION} or newer.`);
    if (isOlder(version, SHARDED_PUBSUB_VERSION)) {
      return warn(`${version}: every realtime instance receives the events of all rooms`, 'Use Redis 7 or newer.');
    }
    if (shardedPubSub !== 'works') {
      return fail(
        `${version}, but sharded pub/sub does not work: ${shardedPubSub}`,
        'Allow SSUBSCRIBE and SPUBLISH to this user, and use a proxy that passes them on, or none.',
      );
    }
    return ok(`${version}, sharded pub/sub works`);
  },
};
