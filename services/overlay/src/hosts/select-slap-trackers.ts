import { DEFAULT_SLAP_TRACKERS, DEFAULT_TESTNET_SLAP_TRACKERS } from '@bsv/sdk';
import type { Network } from '@messagebox/shared';

/**
 * Selects the SLAP trackers for lookups and announcements. On network local there are none: this server is its own
 * tracker.
 *
 * @param configured SLAP_TRACKERS
 */
export function selectSlapTrackers(network: Network, configured: readonly string[] | undefined): readonly string[] {
  if (configured !== undefined) return configured;
  if (network === 'local') return [];
  return network === 'test' ? DEFAULT_TESTNET_SLAP_TRACKERS : DEFAULT_SLAP_TRACKERS;
}
