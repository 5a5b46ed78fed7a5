import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';

/** `describe` for suites that need a database server and Redis. */
export function describeScaled(name: string, suite: () => void): void {
  describeWithMysql(name, () => {
    describeWithRedis('several processes', suite);
  });
}
