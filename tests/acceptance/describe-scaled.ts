import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';

/** `describe` for suites that need a database server and Redis. */
export function describeScaled(name: string, suite: () => void): void {
  describeWithMysql(name, () => {
    describeWithRedis('several processes', suite);
  });
}
