import type { IncomingMessage } from 'node:http';

/**
 * Replaces repeated slashes in the path of a request target by one. A client that was configured with `https://host/` or
 * `https://host/prefix/` requests `//sendMessage` or `/prefix//sendMessage`. The query, and a target that is not a path,
 * such as `*`, stay as they are.
 */
export function collapseSlashes(target: string): string {
  if (!target.startsWith('/') || !target.includes('//')) return target;
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  return path.replace(/\/{2,}/g, '/') + target.slice(path.length);
}

/**
 * Sets `url` to the collapsed target, so that all later listeners route by it. `originalUrl` keeps the target as it was sent,
 * which BRC-104 signs; Express does not overwrite it.
 */
export function routeByCollapsedPath(request: IncomingMessage & { originalUrl?: string }): void {
  const sent = request.url ?? '';
  const collapsed = collapseSlashes(sent);
  if (collapsed === sent) return;
  request.originalUrl ??= sent;
  request.url = collapsed;
}
