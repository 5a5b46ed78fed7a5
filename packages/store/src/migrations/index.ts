import type { Knex } from 'knex';
import * as byteExactNames from './2026-11-22-001-byte-exact-names.js';
import * as overlay from './2026-11-23-001-overlay.js';
import * as wideFees from './2026-11-23-002-wide-fees.js';
import * as pushOutbox from './2026-11-23-003-push-outbox.js';
import * as payments from './2026-11-23-004-payments.js';
import * as clientNonces from './2026-11-29-001-client-nonces.js';
import * as clampFees from './2026-11-29-002-clamp-fees.js';
import * as quotas from './2026-11-29-003-quotas.js';
import * as overlayShares from './2026-11-29-004-overlay-shares.js';
import * as pushDeliveries from './2026-11-30-001-push-deliveries.js';
import * as messageExpiry from './2026-11-30-002-message-expiry.js';
import * as pushTrace from './2026-11-30-003-push-trace.js';
import * as operators from './2026-11-30-010-operators.js';
import * as deviceIdentities from './2026-11-30-021-device-identities.js';
import * as receipts from './2026-11-30-022-receipts.js';
import * as uploads from './2026-11-30-023-uploads.js';
import * as requestPayments from './2026-11-30-024-request-payments.js';
import * as sharedBodies from './2026-12-01-001-shared-bodies.js';
import { recordOnlyMigration } from './record-only-migration.js';
import * as referenceDevices from './reference-devices.js';
import * as referenceMessages from './reference-messages.js';
import * as referencePermissions from './reference-permissions.js';

/**
 * All migrations in their order, under the names that the database records. The list is explicit, so that it doesn't depend
 * on the files in a folder.
 *
 * The first five are those of the reference server 1.1.5, under its names, so that its databases can be upgraded in place.
 * Never rename or reorder an entry; add new ones at the end.
 */
const MIGRATIONS: readonly (readonly [name: string, migration: Knex.Migration])[] = [
  ['2022-12-28-001-initial-migration.js', referenceMessages],
  ['2023-01-17-messages-update.js', recordOnlyMigration],
  ['2024-03-05-001-messageID-upgrade.js', recordOnlyMigration],
  ['2025-01-31-001-notification-permissions.js', referencePermissions],
  ['2025-01-31-002-device-registrations.js', referenceDevices],
  ['2026-11-22-001-byte-exact-names', byteExactNames],
  ['2026-11-23-001-overlay', overlay],
  ['2026-11-23-002-wide-fees', wideFees],
  ['2026-11-23-003-push-outbox', pushOutbox],
  ['2026-11-23-004-payments', payments],
  ['2026-11-29-001-client-nonces', clientNonces],
  ['2026-11-29-002-clamp-fees', clampFees],
  ['2026-11-29-003-quotas', quotas],
  ['2026-11-29-004-overlay-shares', overlayShares],
  ['2026-11-30-001-push-deliveries', pushDeliveries],
  ['2026-11-30-002-message-expiry', messageExpiry],
  ['2026-11-30-003-push-trace', pushTrace],
  ['2026-11-30-010-operators', operators],
  ['2026-11-30-021-device-identities', deviceIdentities],
  ['2026-11-30-022-receipts', receipts],
  ['2026-11-30-023-uploads', uploads],
  ['2026-11-30-024-request-payments', requestPayments],
  ['2026-12-01-001-shared-bodies', sharedBodies],
];

/** The names of all migrations, in their order. */
export const MIGRATION_NAMES: readonly string[] = MIGRATIONS.map(([name]) => name);

/**
 * Migrations of the reference server since 1.1.14, without their extensions. Only its own databases record them. Our
 * `2026-11-30-002-message-expiry` completes what they leave, and creates elsewhere what we use of it.
 */
const LATER_REFERENCE_MIGRATIONS = ['2026-08-04-001-resource-safety', '2026-09-24-001-auth-message-nonces'];

/** The reference server's names without the extension, which is that of its build. */
const REFERENCE_STEMS: ReadonlySet<string> = new Set([
  ...MIGRATION_NAMES.filter((name) => name.endsWith('.js')).map((name) => name.slice(0, -3)),
  ...LATER_REFERENCE_MIGRATIONS,
]);

/** Whether a migration that a database records is one of ours or of the reference server's, with either extension. */
export function isKnownMigration(name: string): boolean {
  return MIGRATION_NAMES.includes(name) || REFERENCE_STEMS.has(name.replace(/\.[jt]s$/, ''));
}

const byName = new Map(MIGRATIONS);

/** The migrations as Knex reads them. */
export const migrationSource: Knex.MigrationSource<string> = createMigrationSource([]);

/**
 * The migrations as Knex reads them for a database that has run these already: Knex refuses to run when one of them is
 * missing from the source.
 */
export function createMigrationSource(done: readonly string[]): Knex.MigrationSource<string> {
  const foreign = done.filter((name) => isKnownMigration(name) && !byName.has(name));
  return {
    getMigrations: async () => [...foreign, ...MIGRATION_NAMES],
    getMigrationName: (name) => name,
    getMigration: async (name) => {
      const migration = foreign.includes(name) ? recordOnlyMigration : byName.get(name);
      if (!migration) throw new Error(`There is no migration ${name}.`);
      return migration;
    },
  };
}
