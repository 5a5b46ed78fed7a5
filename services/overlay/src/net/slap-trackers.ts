import { DEFAULT_SLAP_TRACKERS, DEFAULT_TESTNET_SLAP_TRACKERS } from '@bsv/sdk';
import type { Network } from '@messagebox/shared';

/**
 * The SLAP trackers that are asked and told. On local this server is its own.
 *
 * @param configured SLAP_TRACKERS
 */
export function slapTrackers(network: Network, configured: readonly string[] | undefined): readonly string[] {
  if (configured !== undefined) return configured;
  if (network === 'local') return [];
  return network === 'test' ? DEFAULT_TESTNET_SLAP_TRACKERS : DEFAULT_SLAP_TRACKERS;
}
