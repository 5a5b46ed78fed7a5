import { MigrationError } from '../client/store-errors.js';

/** Undoing a migration would drop messages, so no migration can be undone. Restore a backup instead. */
export async function refuseToUndo(): Promise<never> {
  throw new MigrationError('Migrations of the message store cannot be undone. Restore a backup instead.');
}
