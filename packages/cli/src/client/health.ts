import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';
import { getField } from './fields.js';
import { describeNetworkError } from './network-errors.js';

/** What a server says about itself to anybody. */
export interface ServerHealth {
  readonly isReady: boolean;
  /** Each check is `ok` or the problem. */
  readonly checks: Readonly<Record<string, string>>;
}

/**
 * Asks `GET /health/ready`, which is at the root of the origin.
 *
 * @throws {CliError} when nothing answers there, or no MessageBox server does
 */
export async function fetchHealth(url: string, timeoutMs: number, signal?: AbortSignal): Promise<ServerHealth> {
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]);
  let answer: unknown;
  try {
    const response = await fetch(`${new URL(url).origin}/health/ready`, { signal: limit });
    answer = await response.json();
  } catch (error) {
    if (signal?.aborted === true) throw new CliError(EXIT.interrupted, 'Interrupted.');
    const reason =
      describeNetworkError(error) ?? (limit.aborted ? `no answer within ${timeoutMs / 1000} s` : undefined);
    throw new CliError(
      EXIT.unreachable,
      reason === undefined ? `${url} is not a MessageBox server.` : `${url} can't be reached: ${reason}.`,
      { advice: 'Name the server with --server or MESSAGEBOX_URL, or start one with: messagebox start', cause: error },
    );
  }
  const [status, checks] = [getField(answer, 'status'), getField(answer, 'checks')];
  if (typeof status !== 'string' || typeof checks !== 'object' || checks === null) {
    throw new CliError(EXIT.unreachable, `${url} is not a MessageBox server.`);
  }
  return {
    isReady: status === 'ready',
    checks: Object.fromEntries(Object.entries(checks).map(([name, value]) => [name, String(value)])),
  };
}
