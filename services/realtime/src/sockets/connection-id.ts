/** Where socket.io is served. */
export const SOCKET_IO_PATH = '/socket.io/';

/**
 * The connection that a request belongs to, read as engine.io reads it: the last `sid` of the query, and an empty one is
 * none. Whoever decides by it whether a request opens a connection must not read it in another way, or a client could
 * show one reader a connection and the other none.
 *
 * @param target the request's target: path and query
 * @returns undefined when the request opens a new connection
 */
export function readConnectionId(target: string | undefined): string | undefined {
  if (target === undefined) return undefined;
  let query: URLSearchParams;
  try {
    query = new URL(target, 'https://socket.io').searchParams;
  } catch {
    // engine.io can't read it either.
    return undefined;
  }
  return query.getAll('sid').at(-1) || undefined;
}
