import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { createLocalDeployment, createSharedDeployment } from './push-deployment.js';
import { webPushSuite } from './web-push-suite.js';

webPushSuite('pushes to browsers of one process', createLocalDeployment);
describeWithMysql('pushes to browsers on a database server', () => {
  describeWithRedis('and Redis', ({ prefix }) => webPushSuite('of an instance', () => createSharedDeployment(prefix)));
});
