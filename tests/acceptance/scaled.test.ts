import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';
import { scaled } from './deployments.js';
import { everyDeployment } from './suites/index.js';

describeWithMysql('two api and two realtime processes', () => {
  describeWithRedis('with MySQL and Redis', () => {
    everyDeployment((env) => scaled(env));
  });
});
