import type { Knex } from 'knex';
import { refuseToUndo } from './refuse-to-undo.js';

/**
 * A migration of the reference server that a new database doesn't need, because its tables are created in their final form
 * (`reference-messages.ts`). Only the name is recorded.
 */
export const recordOnlyMigration: Knex.Migration = { up: async () => {}, down: refuseToUndo };
