import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';
import { pushSuite } from './push-suite.js';
import { alone, together } from './pusher.js';

pushSuite('pushes of one process', alone);
describeWithMysql('pushes on a database server', () => {
  describeWithRedis('and Redis', ({ prefix }) => pushSuite('by BullMQ', () => together(prefix)));
});
