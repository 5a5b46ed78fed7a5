import type { ErrorRequestHandler } from 'express';
import { AuthError, UnauthorizedError } from '../errors.js';

/**
 * An error handler for Express. Answers an {@link AuthError} with its status and the JSON
 * `{status: 'error', code, description}` with the error's details, and passes all other errors on. A request without auth headers gets exactly
 * `{status: 'error', code: 'UNAUTHORIZED', message: 'Mutual-authentication failed!'}`.
 */
export const authErrorHandler: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (!(error instanceof AuthError) || res.headersSent) {
    next(error);
    return;
  }
  const { code, message, status, details } = error;
  res.set('Cache-Control', 'no-store').status(status);
  res.json({
    ...details,
    status: 'error',
    code,
    [error instanceof UnauthorizedError ? 'message' : 'description']: message,
  });
};
