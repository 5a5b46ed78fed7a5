import { type ChainTracker, FetchHttpClient, WhatsOnChain } from '@bsv/sdk';

/** For one request. The whole verification has its own timeout. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Valid roots are cached, so that many transactions of one block need one request. */
const MAX_CACHED_ROOTS = 1_000;
/** Limited, because a block can be replaced by another one. */
const ROOT_TTL_MS = 10 * 60_000;

/**
 * Creates a tracker for main or test that asks WhatsOnChain, as the SDK does. A request that fails or is not answered in
 * time throws.
 *
 * @param fetchImpl for tests
 */
export function createNetworkTracker(network: 'main' | 'test', fetchImpl: typeof fetch = fetch): ChainTracker {
  const httpClient = new FetchHttpClient((url, options) =>
    fetchImpl(url, { ...options, body: options.body ?? null, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }),
  );
  const service = new WhatsOnChain(network, { httpClient });
  const validUntil = new Map<string, number>();
  return {
    currentHeight: () => service.currentHeight(),
    isValidRootForHeight: async (root, height) => {
      const key = `${height} ${root}`;
      if ((validUntil.get(key) ?? 0) > Date.now()) return true;
      const valid = await service.isValidRootForHeight(root, height);
      if (!valid) return false;
      validUntil.delete(key);
      validUntil.set(key, Date.now() + ROOT_TTL_MS);
      const [oldest] = validUntil.keys();
      if (validUntil.size > MAX_CACHED_ROOTS && oldest !== undefined) validUntil.delete(oldest);
      return true;
    },
  };
}
