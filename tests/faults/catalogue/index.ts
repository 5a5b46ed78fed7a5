import { clockFaults } from './clock.ts';
import { databaseFaults } from './database.ts';
import type { Fault } from './fault.ts';
import { linkFaults } from './links.ts';
import { networkFaults } from './network.ts';
import { pairs } from './pairs.ts';
import { processFaults } from './processes.ts';
import { redisFaults } from './redis.ts';

/** Every fault, in the order of the table. */
export const faults: readonly Fault[] = [
  ...networkFaults,
  ...redisFaults,
  ...linkFaults,
  ...databaseFaults,
  ...processFaults,
  ...clockFaults,
  ...pairs,
];
