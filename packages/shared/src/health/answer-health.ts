import type { ServerResponse } from 'node:http';
import { sendJson } from '../http/send-json.js';
import type { Health } from './health.js';

/** Answers `/health/live` and `/health/ready`. @returns false for any other path, which stays unanswered */
export function answerHealth(path: string, response: ServerResponse, health: Health): boolean {
  if (path === '/health/live') {
    sendJson(response, 200, { status: 'alive' });
    return true;
  }
  if (path !== '/health/ready') return false;
  void health.report().then((report) => sendJson(response, report.status === 'ready' ? 200 : 503, report));
  return true;
}
