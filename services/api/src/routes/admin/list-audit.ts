import { parseWholeNumber } from '@messagebox/messages';
import type { AuditLog } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { parsePageLimit, refuseCursor } from '../../http/admin-request.js';
import { parseQuery } from '../../http/parse-query.js';

/** `GET /admin/audit?limit=50&after=CURSOR`: what operators did, the newest first. */
export function listAuditRoute(audit: AuditLog): RequestHandler {
  return async (request, response) => {
    const limit = parsePageLimit(request);
    const { after } = parseQuery(request);
    const before =
      after === undefined ? undefined : (parseWholeNumber(after, 1, Number.MAX_SAFE_INTEGER) ?? refuseCursor());
    // One more shows whether there are more.
    const entries = await audit.list({ limit: limit + 1, before });
    const page = entries.slice(0, limit);
    response.json({
      status: 'success',
      entries: page.map(({ id, time, ...entry }) => ({ id: String(id), time: time.toISOString(), ...entry })),
      next: entries.length > limit ? String(page.at(-1)?.id) : null,
    });
  };
}
