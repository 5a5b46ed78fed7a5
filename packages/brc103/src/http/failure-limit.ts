import type { Request } from 'express';

/**
 * Limits how often authentication may fail. A failure counts against the proven session that the request names, or else
 * against the request's address, so that no client can use up the limit of another one.
 */
export interface FailureLimit {
  /**
   * Checks the limit before a request is verified.
   *
   * @param session the nonce of a proven session; undefined when the request's address counts
   * @throws the error to answer the request with, when there were too many failures
   */
  checkLimit(request: Request, session: string | undefined): Promise<void>;
  /** Counts one failure. */
  recordFailure(request: Request, session: string | undefined): void;
}

/** Allows any number of failures. */
export const NO_FAILURE_LIMIT: FailureLimit = { checkLimit: async () => {}, recordFailure: () => {} };
