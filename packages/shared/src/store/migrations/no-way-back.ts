import { MigrationError } from '../store-errors.js';

/** Undoing a migration would drop messages, so none can be undone: restore a backup instead. */
export async function noWayBack(): Promise<never> {
  throw new MigrationError('Migrations of the message store cannot be undone. Restore a backup instead.');
}
