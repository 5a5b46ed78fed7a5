import type { Knex } from 'knex';
import { noWayBack } from './no-way-back.js';

/**
 * A step of the reference server's history that a new database need not go through: its tables are made in their final
 * shape (`reference-messages.ts`). Only its name is recorded.
 */
export const recordOnly: Knex.Migration = { up: async () => {}, down: noWayBack };
