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
    response.set({
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
      ETag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
    });
    // `fresh` compares If-None-Match with the ETag.
    if (request.fresh) response.status(304).end();
    else response.end(body);
  };
}
