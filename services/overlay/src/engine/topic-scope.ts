import type { SqlRunner } from '@messagebox/store';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import type { OverlayStorage } from '../storage/overlay-storage.js';

/** The database transaction in which a topic and its lookup services change. */
export interface TopicScope {
  readonly storage: OverlayStorage;
  readonly runner: SqlRunner;
  readonly lookups: readonly OverlayLookup[];
}
