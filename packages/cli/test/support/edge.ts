import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';

/** A request or an answer on its way through an edge. */
export interface PassingMessage {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface EdgeOptions {
  /** The URLs behind it, which get requests in turn. Given the path, so that an edge may route. */
  readonly target: (path: string) => string;
  /** Changes a request. */
  readonly onRequest?: (message: PassingMessage) => void;
  /** Changes an answer; `path` is that of its request. */
  readonly onAnswer?: (message: PassingMessage) => void;
  /** Whether websockets pass. Default: true. */
  readonly websockets?: boolean;
  /** Speaks TLS with this certificate of `fixtures/tls`. */
  readonly certificate?: string;
}

/** A reverse proxy on 127.0.0.1 that may do what edges should not do. */
export interface Edge {
  /** Its origin, with the name `localhost`. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { certificate } = options;
  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    pass(incoming, response, options).catch(() => response.destroy());
  };
  const server =
    certificate === undefined
      ? createServer(onRequest)
      : createTlsServer({ key: readFixture('key.pem'), cert: readFixture(certificate) }, onRequest);
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    if (options.websockets === false)
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    else tunnel(incoming, socket, head, options.target(incoming.url ?? '/'));
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function pass(incoming: IncomingMessage, response: ServerResponse, options: EdgeOptions): Promise<void> {
  const asked: PassingMessage = {
    path: incoming.url ?? '/',
    headers: { ...incoming.headers },
    body: await readAll(incoming),
  };
  const { path: askedPath } = asked;
  options.onRequest?.(asked);
  const target = new URL(options.target(asked.path));
  const { 'transfer-encoding': _encoding, ...headers } = asked.headers;
  const forwarded = request({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: asked.path,
    agent: false,
    headers: { ...headers, 'content-length': asked.body.length, connection: 'close' },
  });
  forwarded.end(asked.body);
  const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
  const passed: PassingMessage = { path: askedPath, headers: { ...answer.headers }, body: await readAll(answer) };
  options.onAnswer?.(passed);
  const { 'transfer-encoding': _coding, connection: _connection, ...rest } = passed.headers;
  response.writeHead(answer.statusCode ?? 502, { ...rest, 'content-length': passed.body.length });
  response.end(passed.body);
}

function tunnel(incoming: IncomingMessage, socket: Socket, head: Buffer, url: string): void {
  const { hostname, port } = new URL(url);
  const upstream = connect(Number(port), hostname, () => {
    const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
    for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
      lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
    }
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
  });
  upstream.on('error', () => socket.destroy());
  socket.on('error', () => upstream.destroy());
  socket.once('close', () => upstream.destroy());
  upstream.once('close', () => socket.destroy());
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function readFixture(name: string): Buffer {
  return readFileSync(path.join(__dirname, '../fixtures/tls', name));
}
