import type { IncomingMessage } from 'node:http';

/**
 * A request target with every run of slashes in its path taken for one. A client that was given `https://host/` or
 * `https://host/prefix/` asks for `//sendMessage` and `/prefix//sendMessage`. The query stays as it is, and so does a
 * target that is no path, such as `*`.
 */
export function collapseSlashes(target: string): string {
  if (!target.startsWith('/') || !target.includes('//')) return target;
  const question = target.indexOf('?');
  const path = question < 0 ? target : target.slice(0, question);
  return path.replace(/\/{2,}/g, '/') + target.slice(path.length);
}

/**
 * Makes everything behind it route by the collapsed path: `url` gets it, and `originalUrl`, which Express keeps when it is
 * there, holds the target as it was sent, which is what BRC-104 signs.
 */
export function routeByCollapsedPath(request: IncomingMessage & { originalUrl?: string }): void {
  const sent = request.url ?? '';
  const collapsed = collapseSlashes(sent);
  if (collapsed === sent) return;
  request.originalUrl ??= sent;
  request.url = collapsed;
}
