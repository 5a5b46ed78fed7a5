/** The path of socket.io. */
export const SOCKET_IO_PATH = '/socket.io/';

/**
 * Reads the id of the connection that a request belongs to, exactly as engine.io does: it is the last `sid` of the query,
 * and an empty one counts as none. With a different reading, a client could open a connection with a request that the
 * check for new connections does not see as one.
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
    // engine.io cannot read it either.
    return undefined;
  }
  return query.getAll('sid').at(-1) || undefined;
}
