import { type BoundedResponse, FetchError } from './public-fetch.js';

const REASON_BYTES = 200;

/** @throws {FetchError} when an overlay host answers with an error, with the reason that it gives */
export function assertOk({ status, body }: BoundedResponse): void {
  if (status >= 200 && status < 300) return;
  const reason = descriptionIn(body);
  throw new FetchError(`The host answers ${status}${reason === undefined ? '' : `: ${reason}`}.`, { status });
}

/** Ours say `description`, others `message`. Cut short, and in one line, since it goes into logs. */
function descriptionIn(body: Buffer): string | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    if (typeof answer !== 'object' || answer === null) return undefined;
    const text = 'description' in answer ? answer.description : 'message' in answer ? answer.message : undefined;
    return typeof text === 'string' ? text.replace(/[^\x21-\x7e]+/g, ' ').slice(0, REASON_BYTES) : undefined;
  } catch {
    return undefined;
  }
}
