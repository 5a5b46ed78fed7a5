import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { createLocalDeployment, createSharedDeployment } from './push-deployment.js';
import { pushSuite } from './push-suite.js';

pushSuite('pushes of one process', createLocalDeployment);
describeWithMysql('pushes on a database server', () => {
  describeWithRedis('and Redis', ({ prefix }) => pushSuite('of an instance', () => createSharedDeployment(prefix)));
});
