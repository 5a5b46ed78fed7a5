import { type ChainTracker, FetchHttpClient, WhatsOnChain } from '@bsv/sdk';

/** One request; asking for a whole transaction has a limit of its own. */
const REQUEST_TIMEOUT_MS = 8_000;
/** Roots that were found to be right, so that many transactions of one block are one question. */
const REMEMBERED = 1_000;
/** A block can be replaced by another, so what was right is not right for ever. */
const REMEMBERED_MS = 10 * 60_000;

/**
 * The chain of main or test, by way of the service that the SDK uses too. A request that is not answered in time
 * throws, as one that fails does.
 *
 * @param fetchIt for tests
 */
export function networkTracker(network: 'main' | 'test', fetchIt: typeof fetch = fetch): ChainTracker {
  const httpClient = new FetchHttpClient((url, options) =>
    fetchIt(url, { ...options, body: options.body ?? null, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }),
  );
  const service = new WhatsOnChain(network, { httpClient });
  const right = new Map<string, number>();
  return {
    currentHeight: () => service.currentHeight(),
    isValidRootForHeight: async (root, height) => {
      const key = `${height} ${root}`;
      if ((right.get(key) ?? 0) > Date.now()) return true;
      const valid = await service.isValidRootForHeight(root, height);
      if (!valid) return false;
      right.delete(key);
      right.set(key, Date.now() + REMEMBERED_MS);
      const [oldest] = right.keys();
      if (right.size > REMEMBERED && oldest !== undefined) right.delete(oldest);
      return true;
    },
  };
}
