import { createHash, timingSafeEqual } from 'node:crypto';
import { field, type Logger, limitedLines, type MessageStore, type RateLimit } from '@messagebox/shared';
import { addressOf } from '@messagebox/web';
import express, { type Router } from 'express';

/** A shorter MIGRATE_KEY counts as none. */
const SHORTEST_KEY = 11;

/**
 * `POST /migrate {migratekey}`: runs pending migrations, for operators who can't run the command. Not authenticated by
 * BRC-103: it must work on a database that has no schema yet.
 *
 * @param key MIGRATE_KEY; undefined or short: every request is refused
 * @param attempts bounds guessing, by address
 */
export function migrateRoute(parts: {
  readonly store: MessageStore;
  readonly key: string | undefined;
  readonly attempts: RateLimit;
  readonly log: Logger;
}): Router {
  const router = express.Router();
  router.post('/migrate', express.json({ limit: 4_096, type: () => true }), async (request, response) => {
    await parts.attempts.admit(addressOf(request));
    if (!isKey(field(request.body, 'migratekey'), parts.key)) {
      const why = 'a migration was refused: wrong key, or MIGRATE_KEY is not set';
      limitedLines(parts.log).write('warn', { requestId: request.id }, why);
      response
        .status(401)
        .json({ status: 'error', code: 'ERR_UNAUTHORIZED', description: 'Access with this key was refused.' });
      return;
    }
    const migrations = await parts.store.migrate();
    parts.log.info({ migrations }, 'migrated by request');
    response.json({ status: 'success', migrations });
  });
  return router;
}

function isKey(given: unknown, key: string | undefined): boolean {
  if (key === undefined || key.length < SHORTEST_KEY || typeof given !== 'string') return false;
  // Digests have one length, so that comparing them takes the same time whatever was given.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}
