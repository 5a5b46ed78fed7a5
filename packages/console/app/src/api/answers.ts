import { ApiError } from './api-error.js';

/** AuthFetch never settles when it can't verify an answer. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * Waits for the answer to a signed request.
 *
 * @throws {ApiError} when none comes that this identity can verify
 */
export async function awaitAnswer(pending: Promise<Response>): Promise<Response> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms`)), ANSWER_TIMEOUT_MS);
  });
  try {
    return await Promise.race([pending, deadline]);
  } catch (error) {
    throw new ApiError(0, 'ERR_NO_ANSWER', 'The server did not answer.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads the JSON of an answer.
 *
 * @throws {ApiError} when the server refused, and when something else answered in its place
 */
export async function readAnswer(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const answer = await readJson(response);
  if (response.ok && answer['status'] !== 'error') return answer;
  const { code, description } = answer;
  throw new ApiError(
    response.status,
    typeof code === 'string' ? code : 'ERR_UNKNOWN',
    typeof description === 'string' ? description : `The server answered ${response.status}.`,
  );
}

async function readJson(response: Response): Promise<Readonly<Record<string, unknown>>> {
  try {
    const answer: unknown = await response.json();
    if (typeof answer === 'object' && answer !== null) return answer as Readonly<Record<string, unknown>>;
  } catch {
    // What is no JSON comes from something between: an error page of a proxy, for example.
  }
  throw new ApiError(response.status, 'ERR_NOT_JSON', `Something answered ${response.status} in the server’s place.`);
}
