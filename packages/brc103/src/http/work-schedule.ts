import type { Request } from 'express';
import { READ_COST_MS_PER_BYTE } from '../read-cost.js';

/** Decides when the work of a request runs, so that clients share a process fairly. */
export interface WorkSchedule {
  /**
   * Runs `work`, which is synchronous.
   *
   * @param identityKey the identity that the request claims, where it is known. It need not be verified yet
   * @param alsoMs the cost of work that follows elsewhere. Milliseconds
   * @throws what `work` throws, or the error to answer the request with when the client asks for too much
   */
  run<T>(request: Request, identityKey: string | undefined, work: () => T, alsoMs?: number): Promise<T>;
  /** Called when the identity of a request is verified. */
  noteProven(request: Request, identityKey: string): void;
  /** Accounts for work that was done elsewhere. `ms`: milliseconds. */
  charge(request: Request, identityKey: string | undefined, ms: number): void;
}

/** Runs all work at once, and charges nothing. */
export const IMMEDIATE_SCHEDULE: WorkSchedule = {
  run: async (_request, _identityKey, work) => work(),
  noteProven: () => {},
  charge: () => {},
};

/** Waits until `bytes` more of a request body may be read. */
export async function waitForReadTurn(
  schedule: WorkSchedule,
  req: Request,
  identityKey: string | undefined,
  bytes: number,
): Promise<void> {
  await schedule.run(req, identityKey, () => undefined, bytes * READ_COST_MS_PER_BYTE);
}
