import type { NextFunction, Request, Response } from 'express';
import { type AuthOutcome, toAuthOutcome } from './auth-outcome.js';
import { discardBody } from './request-body.js';
import { type WorkSchedule, waitForReadTurn } from './work-schedule.js';

/** The cost of a failed request in addition to the work itself, so that guessing and probing are expensive. Milliseconds. */
const FAILURE_PENALTY_MS = 5;

/** Passes an error to `next`, after the rest of the request body is out of the way. */
export type RefuseRequest = (req: Request, res: Response, next: NextFunction, error: unknown) => Promise<void>;

/** Creates the function that refuses requests. */
export function createRefuseRequest(schedule: WorkSchedule, report: (outcome: AuthOutcome) => void): RefuseRequest {
  return async (req, res, next, error) => {
    report(toAuthOutcome(error));
    const rest = await discardBody(req, (bytes) => waitForReadTurn(schedule, req, undefined, bytes));
    if (rest === 'aborted') return;
    if (rest === 'unfinished') res.set('Connection', 'close');
    schedule.charge(req, undefined, FAILURE_PENALTY_MS);
    try {
      await schedule.run(req, undefined, () => next(error));
    } catch (refusal) {
      next(refusal);
    }
  };
}
