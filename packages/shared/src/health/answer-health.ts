import type { ServerResponse } from 'node:http';
import { sendJson } from '../http/send-json.js';
import type { Health } from './health.js';

/** The paths of health, for those who count requests. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/health', '/health/live', '/health/ready', '/ready']);

/**
 * Answers whether the process runs (`/health/live`, `/health`) and whether it takes traffic (`/health/ready`, `/ready`). The
 * short names are those that other servers of message boxes have.
 *
 * @returns false for any other path, which stays unanswered
 */
export function answerHealth(path: string, response: ServerResponse, health: Health): boolean {
  if (!HEALTH_PATHS.has(path)) return false;
  if (path === '/health') sendJson(response, 200, { status: 'ok' });
  else if (path === '/health/live') sendJson(response, 200, { status: 'alive' });
  else void health.report().then((report) => sendJson(response, report.status === 'ready' ? 200 : 503, report));
  return true;
}
