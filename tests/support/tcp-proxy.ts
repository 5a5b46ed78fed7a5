import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { findFreePort } from '../../packages/test-kit/src/ports.ts';

/** A TCP proxy on 127.0.0.1 that a test puts between a client and a server, to slow, cut or move their connections. */
export interface TcpProxy {
  readonly port: number;
  /** The target's address as the client should use it: same scheme, credentials and path, the proxy's host and port. */
  readonly url: string;
  /** How many client connections are open. */
  readonly connections: number;
  /** Sets the target of new connections; the open ones keep theirs. */
  setTarget(url: string): void;
  /** Holds every byte back for so long, in each direction, in order. */
  setDelay(ms: number): void;
  /**
   * Lets so many bytes through in a second, on each connection and in each direction, evenly and with little held here, so
   * that the sender feels it; undefined: as many as come.
   */
  setRate(bytesPerSecond: number | undefined): void;
  /** Destroys all open connections. */
  cut(): void;
  /**
   * Lets the open connections fall silent for good: what is sent is taken and goes nowhere, even an end. New ones work. The
   * server keeps its side until `cut()` or `close()`.
   */
  stall(): void;
  /** Refuses new connections until `accept()`; the open ones stay. */
  refuse(): void;
  accept(): Promise<void>;
  close(): Promise<void>;
}

const HIGH_WATER_MARK = 1 << 20;
/** Bytes that a slow link holds here, and bytes that it passes on at a time. */
const SLOW_HIGH_WATER_MARK = 1 << 16;
const SLOW_CHUNK_BYTES = 1 << 12;

/** How bytes are passed on, from now on. */
interface Link {
  /** Milliseconds. */
  delay: number;
  /** Bytes in a second. */
  rate: number | undefined;
}

/** Two sockets whose bytes are passed on to each other, until the pair is stalled. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  isStalled: boolean;
}

/** @param options.target the server's URL, of any scheme, with its port */
export async function createTcpProxy(options: { readonly target: string }): Promise<TcpProxy> {
  let target = new URL(options.target);
  const link: Link = { delay: 0, rate: undefined };
  let server: Server | undefined;
  const port = await findFreePort(); // nobody else takes it while it refuses
  const pairs = new Set<Pair>();

  const onConnection = (client: Socket): void => {
    const upstream = connect({ host: parseHost(target), port: Number(target.port), allowHalfOpen: true });
    const pair: Pair = { client, upstream, isStalled: false };
    pairs.add(pair);
    const end = (): void => {
      client.destroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      // A reset on one side is an end on the other; 'close' follows.
      socket.on('error', end);
    }
    // Bytes of a side that has closed may still be on their way, so only an error or both closes end the pair.
    let open = 2;
    const onClose = (): void => {
      open -= 1;
      if (open === 0) end();
    };
    client.once('close', (hadError) => (hadError ? end() : onClose()));
    upstream.once('close', (hadError) => (hadError ? end() : onClose()));
    forward(client, upstream, link, pair);
    forward(upstream, client, link, pair);
  };
  const accept = async (): Promise<void> => {
    if (server) return;
    server = createServer({ allowHalfOpen: true }, onConnection).listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const refuse = (): void => {
    server?.close();
    server = undefined;
  };
  const cut = (): void => {
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
    pairs.clear();
  };

  await accept();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = `${port}`;
  return {
    port,
    url: target.pathname === '/' && !options.target.endsWith('/') ? url.href.replace(/\/$/, '') : url.href,
    get connections() {
      return pairs.size;
    },
    setTarget(next) {
      target = new URL(next);
    },
    setDelay(ms) {
      link.delay = ms;
    },
    setRate(bytesPerSecond) {
      link.rate = bytesPerSecond;
    },
    cut,
    stall() {
      for (const pair of pairs) {
        pair.isStalled = true;
        for (const socket of [pair.client, pair.upstream]) socket.resume();
      }
    },
    refuse,
    accept,
    async close() {
      const closing = server;
      refuse();
      const closed = closing && once(closing, 'close');
      cut();
      await closed;
    },
  };
}

/** Passes on what comes from one socket, each piece when its delay is over and never before the one ahead of it. */
function forward(from: Socket, to: Socket, link: Readonly<Link>, pair: Readonly<Pair>): void {
  const queue: { readonly due: number; readonly bytes: Buffer | undefined }[] = [];
  let queued = 0;
  /** When the piece before the next is through. */
  let through = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = (): void => {
    timer = undefined;
    for (let next = queue[0]; next; next = queue[0]) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        timer = setTimeout(send, Math.ceil(wait));
        return;
      }
      queue.shift();
      if (pair.isStalled) {
        queued -= next.bytes?.length ?? 0;
        continue;
      }
      if (next.bytes === undefined) {
        to.end();
        continue;
      }
      queued -= next.bytes.length;
      if (!to.writable) continue;
      to.write(next.bytes);
    }
    flow();
  };
  const flow = (): void => {
    if (
      pair.isStalled ||
      queued + to.writableLength < (link.rate === undefined ? HIGH_WATER_MARK : SLOW_HIGH_WATER_MARK)
    )
      from.resume();
    else from.pause();
  };
  const add = (bytes: Buffer | undefined): void => {
    const now = performance.now() + link.delay;
    const { rate } = link;
    if (bytes === undefined || rate === undefined) queue.push({ due: rate === undefined ? now : through, bytes });
    else {
      for (let at = 0; at < bytes.length; at += SLOW_CHUNK_BYTES) {
        const piece = bytes.subarray(at, at + SLOW_CHUNK_BYTES);
        through = Math.max(through, now) + (piece.length / rate) * 1_000;
        queue.push({ due: through, bytes: piece });
      }
    }
    queued += bytes?.length ?? 0;
    if (timer === undefined) send();
    flow();
  };
  from.on('data', add);
  from.on('end', () => add(undefined));
  to.on('drain', flow);
  from.on('close', () => {
    if (from.readableEnded) return;
    clearTimeout(timer);
    to.destroy();
  });
  to.on('close', () => clearTimeout(timer));
}

function parseHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
