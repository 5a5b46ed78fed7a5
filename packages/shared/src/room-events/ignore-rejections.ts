import type { Logger } from 'pino';

/**
 * Marks a promise as handled. The adapters of socket.io drop the promises of their Redis calls, so a rejection during an outage
 * would end the process.
 *
 * @returns the same promise
 */
export function ignoreRejections<T>(promise: Promise<T>, method: string, log: Logger): Promise<T> {
  promise.catch((error: Error) => log.debug({ method, reason: error.message }, 'a Redis call failed'));
  return promise;
}
