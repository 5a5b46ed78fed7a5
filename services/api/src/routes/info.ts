import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { ServerInfo } from '../info/server-info.js';

/** A cache may keep the answer for this long without asking. Seconds. Fees are as old as this, and limits need a restart. */
const MAX_AGE_SECONDS = 60;

/** The options of {@link infoRoute}. */
export interface InfoRouteOptions {
  readonly description: ServerInfo;
  readonly deliveryFees: {
    /** Undefined when they are not known yet. Does not reject. */
    latest(): Promise<ReadonlyMap<string, number> | undefined>;
  };
}

/**
 * `GET /info`: what this server is, and its limits, for anybody. It is answered from memory; only the delivery fees are read
 * again when the sends' own cache of them has expired. While the database does not answer, the last known ones are shown.
 */
export function infoRoute({ description, deliveryFees }: InfoRouteOptions): RequestHandler {
  return async (request, response) => {
    // Clients ask for a quote before they pay, so that older fees do no harm here.
    const known = await deliveryFees.latest();
    const fees: ServerInfo['fees'] = {
      ...(known === undefined ? {} : { delivery: Object.fromEntries([...known].sort()) }),
      ...description.fees,
    };
    const body = Buffer.from(JSON.stringify({ ...description, fees }));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
    response.set({
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
      ETag: etag,
    });
    if (isKnownTo(request.headers['if-none-match'], etag)) response.status(304).end();
    else response.end(body);
  };
}

/**
 * Whether `If-None-Match` names this ETag (RFC 9110, section 13.1.2). Express's `fresh` says no when the request has
 * `Cache-Control: no-cache` as well, which `fetch` adds to every request that a program has made conditional.
 */
function isKnownTo(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = (ifNoneMatch ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}
