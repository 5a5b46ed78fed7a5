import { connect, type Socket } from 'node:net';

/** The address at which a process of the server listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The client's address, as the server sees it. */
export interface Source {
  /** An address of the loopback network; undefined: the system's choice, 127.0.0.1. */
  readonly localAddress?: string | undefined;
  /** For servers behind a proxy that they trust: the address that it tells of. */
  readonly forwardedFor?: string | undefined;
}

/** The servers under attack: requests go to any of `http`, sockets to any of `live`. */
export interface Target {
  readonly http: readonly Endpoint[];
  readonly live: readonly Endpoint[];
  /** Whether the servers believe what X-Forwarded-For says (TRUST_PROXY=1). */
  readonly behindProxy: boolean;
}

export const LOCAL: Source = {};

/** @throws {Error} when nobody listens, or when it takes longer than `patienceMs` */
export async function connectEndpoint(endpoint: Endpoint, source: Source, timeoutMs = 10_000): Promise<Socket> {
  const { localAddress } = source;
  const socket = connect({ ...endpoint, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) });
  const timer = setTimeout(() => socket.destroy(new Error('No connection came about in time')), timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } finally {
    clearTimeout(timer);
  }
  socket.on('error', () => undefined);
  return socket;
}

/** Header lines that every request from this source carries, each ended by CRLF. */
export function sourceHeaders({ forwardedFor }: Source): string {
  return forwardedFor === undefined ? '' : `X-Forwarded-For: ${forwardedFor}\r\n`;
}
