import { deployScaled, deployStandalone } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { uploadsSuite } from './uploads-suite.js';

uploadsSuite('one process, and a storage that checks everything', deployStandalone, 'strict');
uploadsSuite('one process, and a storage that checks nothing', deployStandalone, 's3rver');
describeScaled('two api and two realtime processes', () => {
  uploadsSuite('and a storage that checks everything', deployScaled, 'strict');
});
