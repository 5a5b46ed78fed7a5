import { runService } from '@messagebox/shared';
import { start } from './start.js';

await runService('standalone', (config, log) => start(config, log, 'npm run demo'));
