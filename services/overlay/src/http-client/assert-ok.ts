import { type BoundedResponse, FetchError } from '@messagebox/shared';

const MAX_REASON_LENGTH = 200;

/** @throws {FetchError} when the host's answer is an error, with the reason that it gives */
export function assertOk({ status, body }: BoundedResponse): void {
  if (status >= 200 && status < 300) return;
  const reason = findDescription(body);
  throw new FetchError(`The host answers ${status}${reason === undefined ? '' : `: ${reason}`}.`, { status });
}

/**
 * Finds the reason in an error's body: hosts of this software write `description`, others `message`. The text is for
 * logs, so it is shortened and has no line breaks.
 */
function findDescription(body: Buffer): string | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString('utf8'));
    if (typeof answer !== 'object' || answer === null) return undefined;
    const text = 'description' in answer ? answer.description : 'message' in answer ? answer.message : undefined;
    return typeof text === 'string' ? text.replace(/[^\x21-\x7e]+/g, ' ').slice(0, MAX_REASON_LENGTH) : undefined;
  } catch {
    return undefined;
  }
}
