import { createHash, timingSafeEqual } from 'node:crypto';
import { getField } from '@messagebox/messages';
import { getRateLimitedLog, getRequestAddress, type Logger, type RateLimit } from '@messagebox/shared';
import type { MessageStore } from '@messagebox/store';
import express, { type Router } from 'express';

/** A shorter MIGRATE_KEY is ignored. */
const MIN_KEY_LENGTH = 11;

/**
 * `POST /migrate {migratekey}`: runs pending migrations, for operators who can't run the command. It does not use
 * BRC-103, because it must work on a database without a schema.
 *
 * @param key MIGRATE_KEY; when it is undefined or short, every request is refused
 * @param attempts limits guesses by address
 */
export function migrateRoute(options: {
  readonly store: MessageStore;
  readonly key: string | undefined;
  readonly attempts: RateLimit;
  readonly log: Logger;
}): Router {
  const router = express.Router();
  router.post('/migrate', express.json({ limit: 4_096, type: () => true }), async (request, response) => {
    await options.attempts.admit(getRequestAddress(request));
    if (!isMigrateKey(getField(request.body, 'migratekey'), options.key)) {
      const text = 'migration refused: the key is wrong, or MIGRATE_KEY is not set';
      getRateLimitedLog(options.log).write('warn', { requestId: request.id }, text);
      response
        .status(401)
        .json({ status: 'error', code: 'ERR_UNAUTHORIZED', description: 'Access with this key was refused.' });
      return;
    }
    const migrations = await options.store.migrate();
    options.log.info({ migrations }, 'database migrated by request');
    response.json({ status: 'success', migrations });
  });
  return router;
}

function isMigrateKey(given: unknown, key: string | undefined): boolean {
  if (key === undefined || key.length < MIN_KEY_LENGTH || typeof given !== 'string') return false;
  // Digests have the same length, so the comparison always takes the same time.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}
