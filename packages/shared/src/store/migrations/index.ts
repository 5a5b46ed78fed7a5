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
import { recordOnly } from './record-only.js';
import * as referenceDevices from './reference-devices.js';
import * as referenceMessages from './reference-messages.js';
import * as referencePermissions from './reference-permissions.js';

/**
 * Every migration in its order, under the name that the database records. An explicit list: bundlers, containers and
 * tests all see the same one, whatever lies in a folder.
 *
 * The first five are those of the reference server 1.1.5, under its names, so that a database which it has migrated is
 * taken over where it stands. Never rename or reorder an entry; add at the end.
 */
const MIGRATIONS: readonly (readonly [name: string, migration: Knex.Migration])[] = [
  ['2022-12-28-001-initial-migration.js', referenceMessages],
  ['2023-01-17-messages-update.js', recordOnly],
  ['2024-03-05-001-messageID-upgrade.js', recordOnly],
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
];

export const MIGRATION_NAMES: readonly string[] = MIGRATIONS.map(([name]) => name);

const byName = new Map(MIGRATIONS);

export const migrationSource: Knex.MigrationSource<string> = {
  getMigrations: async () => [...MIGRATION_NAMES],
  getMigrationName: (name) => name,
  getMigration: async (name) => {
    const migration = byName.get(name);
    if (!migration) throw new Error(`There is no migration ${name}.`);
    return migration;
  },
};
