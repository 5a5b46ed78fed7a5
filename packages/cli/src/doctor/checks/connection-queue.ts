import { readFile } from 'node:fs/promises';
import { type Check, notApplicable, ok, warn } from '../check.js';

/** Node asks for a queue of 511. */
const ENOUGH = 511;

/** Whether the system lets connections wait while the process is busy. */
export const connectionQueue: Check = {
  name: 'connection queue',
  run: async () => {
    const text = await readFile('/proc/sys/net/core/somaxconn', 'utf8').catch(() => undefined);
    if (text === undefined) return notApplicable('this system does not say');
    const size = Number(text.trim());
    if (size >= ENOUGH) return ok(`${size}`);
    return warn(`${size}`, `sysctl -w net.core.somaxconn=4096, so that a rush of clients is not refused.`);
  },
};
