import type { SqlClient, UsageOrder, UsageSurvey } from '@messagebox/store';
import { readStoredTimes } from '@messagebox/store';
import type { Request, RequestHandler } from 'express';
import { parseChoice, parsePageLimit, refuseCursor } from '../../http/admin-request.js';
import { parseQuery } from '../../http/parse-query.js';
import type { UsageSurveys } from './usage-surveys.js';

/** The place of an entry in a ranking: what it is ranked by, and its key where several are equal. */
interface Place {
  readonly amount: number;
  readonly key: string;
}

/**
 * `GET /admin/boxes`: the largest boxes, without bodies. They are those of the last survey, which is at least 30 s old when a
 * new one is taken. `countedAt` is null while the first one runs.
 */
export function listBoxesRoute({ surveys, sql }: { surveys: UsageSurveys; sql: SqlClient }): RequestHandler {
  return async (request, response) => {
    const { order, limit, after } = parseRankingQuery(request);
    const survey = await surveys.read();
    const ranked = survey?.boxes[order] ?? [];
    const page = takePage(ranked, limit, after, (box) => ({ amount: box[order], key: String(box.boxId) }));
    const times = await readStoredTimes(
      sql,
      page.entries.map(({ oldestId }) => oldestId),
    );
    response.json({
      status: 'success',
      boxes: page.entries.map(({ identityKey, messageBox, messages, bytes, oldestId }) => ({
        identityKey,
        messageBox,
        messages,
        bytes,
        oldest: times.get(oldestId)?.toISOString() ?? null, // null when it was acknowledged since
      })),
      next: page.next,
      countedAt: toCountedAt(survey),
    });
  };
}

/** `GET /admin/senders`: the senders of most of what is stored, like {@link listBoxesRoute}. */
export function listSendersRoute({ surveys }: { surveys: UsageSurveys }): RequestHandler {
  return async (request, response) => {
    const { order, limit, after } = parseRankingQuery(request);
    const survey = await surveys.read();
    const ranked = survey?.senders[order] ?? [];
    const page = takePage(ranked, limit, after, (sender) => ({ amount: sender[order], key: sender.identityKey }));
    response.json({ status: 'success', senders: page.entries, next: page.next, countedAt: toCountedAt(survey) });
  };
}

function parseRankingQuery(request: Request): { order: UsageOrder; limit: number; after: Place | undefined } {
  return {
    order: parseChoice<UsageOrder>(request, 'order', ['bytes', 'messages'], 'ERR_INVALID_ORDER'),
    limit: parsePageLimit(request),
    after: parsePlace(parseQuery(request)['after']),
  };
}

/** A cursor is `AMOUNT-KEY`. */
function parsePlace(text: unknown): Place | undefined {
  if (text === undefined) return undefined;
  const [, amount, key] = (typeof text === 'string' && /^(\d{1,15})-([0-9a-f]{1,66})$/.exec(text)) || refuseCursor();
  return { amount: Number(amount), key: key as string };
}

/** The entries after a place, also when the ranking has changed since it was told. */
function takePage<T>(
  ranked: readonly T[],
  limit: number,
  after: Place | undefined,
  toPlace: (entry: T) => Place,
): { entries: readonly T[]; next: string | null } {
  const start = after === undefined ? 0 : ranked.findIndex((entry) => isAfter(toPlace(entry), after));
  const entries = start < 0 ? [] : ranked.slice(start, start + limit);
  const last = entries.at(-1);
  if (last === undefined || start + limit >= ranked.length) return { entries, next: null };
  const { amount, key } = toPlace(last);
  return { entries, next: `${amount}-${key}` };
}

function isAfter(place: Place, { amount, key }: Place): boolean {
  if (place.amount !== amount) return place.amount < amount;
  // Row ids in decimal digits, or keys of equal length.
  return place.key.length === key.length ? place.key > key : place.key.length > key.length;
}

function toCountedAt(survey: UsageSurvey | undefined): string | null {
  return survey?.takenAt.toISOString() ?? null;
}
