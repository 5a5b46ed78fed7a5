import { runService } from '@messagebox/shared';
import { start } from './start.js';

await runService('overlay', start);
