import { once } from 'node:events';
import { createServer, get, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { waitUntil } from '../acceptance/history.js';

const HEALTH_CHECK_INTERVAL_MS = 250;
const HEALTH_CHECK_TIMEOUT_MS = 1_000;
/** An instance that says that it isn't ready is believed at once, one that says nothing only after so many questions. */
const MAX_FAILED_CHECKS = 4;

export type Group = 'api' | 'realtime';

interface Instance {
  readonly group: Group;
  readonly url: string;
  readonly host: string;
  readonly port: number;
  ready: boolean;
  silences: number;
}

/**
 * A load balancer in front of several instances: each request and each upgrade goes to the
 * next instance that is ready, over a connection of its own. An instance that can't be connected to is passed over; what
 * has been sent to one is never repeated. It learns that an instance is about to stop from nothing but its health.
 */
export class Edge {
  /** Connections that an instance refused, and which another one was tried for. */
  refused = 0;
  /** Requests and upgrades that were answered by nobody: no instance was ready, or the one that had it went away. */
  readonly unanswered: string[] = [];
  #instances: Instance[] = [];
  readonly #turns: Record<Group, number> = { api: 0, realtime: 0 };
  readonly #server = createServer((request, response) => void this.#pass(request, response));
  readonly #sockets = new Set<Socket>();
  readonly #checking: NodeJS.Timeout;

  static async open(): Promise<Edge> {
    const edge = new Edge();
    edge.#server.listen(0, '127.0.0.1');
    await once(edge.#server, 'listening');
    return edge;
  }

  private constructor() {
    this.#server.on(
      'upgrade',
      (request, socket: Socket, head: Buffer) => void this.#passUpgrade(request, socket, head),
    );
    this.#server.on('connection', (socket) => this.#keep(socket));
    this.#checking = setInterval(() => {
      for (const instance of this.#instances) void checkHealth(instance);
    }, HEALTH_CHECK_INTERVAL_MS);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Takes an instance in; resolves when it is ready. */
  async add(group: Group, url: string): Promise<void> {
    const { hostname, port } = new URL(url);
    this.#instances.push({ group, url, host: hostname, port: Number(port), ready: false, silences: 0 });
    await this.ready(url);
  }

  remove(url: string): void {
    this.#instances = this.#instances.filter((instance) => instance.url !== url);
  }

  /** Resolves when the instance has said that it is ready, to a question asked from now on. */
  async ready(url: string): Promise<void> {
    const instance = this.#instances.find((one) => one.url === url);
    if (instance === undefined) throw new Error(`${url} is not known here`);
    await waitUntil(`${url} is ready`, () => checkHealth(instance), 30_000);
  }

  async close(): Promise<void> {
    clearInterval(this.#checking);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** A connection to the next instance that takes one; undefined when none does. */
  async #connect(path: string): Promise<Socket | undefined> {
    const group: Group = path.startsWith('/socket.io/') ? 'realtime' : 'api';
    const candidates = this.#instances.filter((instance) => instance.group === group && instance.ready);
    const first = this.#turns[group]++;
    for (let i = 0; i < candidates.length; i++) {
      const instance = candidates[(first + i) % candidates.length] as Instance;
      const socket = connect({ host: instance.host, port: instance.port, noDelay: true });
      this.#keep(socket);
      try {
        await once(socket, 'connect');
        return socket;
      } catch {
        this.refused += 1;
        instance.ready = false; // until its health says otherwise
      }
    }
    return undefined;
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const fail = (status: number, reason: string) => {
      this.unanswered.push(`${request.method} ${path.split('?')[0]}: ${reason}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(status, { 'Content-Length': 0 }).end();
    };
    let body: Buffer;
    try {
      body = await buffer(request);
    } catch {
      return; // the client went away
    }
    const socket = await this.#connect(path);
    if (socket === undefined) {
      fail(503, 'no instance is ready');
      return;
    }
    const outgoing = httpRequest({
      method: request.method,
      path,
      headers: [...selectEndToEndHeaders(request.rawHeaders), 'Connection', 'close'],
      createConnection: () => socket,
    });
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, selectEndToEndHeaders(answer.rawHeaders));
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    outgoing.on('error', (error) => {
      if (!response.destroyed) fail(502, error.message);
    });
    response.on('close', () => outgoing.destroy());
    outgoing.end(body);
  }

  async #passUpgrade(request: IncomingMessage, client: Socket, head: Buffer): Promise<void> {
    client.on('error', () => client.destroy());
    const upstream = await this.#connect(request.url ?? '/');
    if (upstream === undefined) {
      this.unanswered.push('upgrade: no instance is ready');
      client.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    }
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
    upstream.write(head);
    upstream.on('error', () => client.destroy());
    upstream.on('close', () => client.destroySoon());
    client.on('close', () => upstream.destroy());
    upstream.pipe(client).pipe(upstream);
  }
}

/** Asks whether the instance is ready, and notes the answer. */
function checkHealth(instance: Instance): Promise<boolean> {
  return new Promise((resolve) => {
    const silent = () => {
      instance.silences += 1;
      if (instance.silences >= MAX_FAILED_CHECKS) instance.ready = false;
      resolve(false);
    };
    const asking = get(`${instance.url}/health/ready`, { agent: false, timeout: HEALTH_CHECK_TIMEOUT_MS }, (answer) => {
      answer.resume();
      instance.silences = 0;
      instance.ready = answer.statusCode === 200;
      resolve(instance.ready);
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', silent);
  });
}

/** Raw headers without those that are about one connection only. */
function selectEndToEndHeaders(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (/^(connection|keep-alive|transfer-encoding)$/i.test(name)) continue;
    kept.push(name, rawHeaders[i + 1] as string);
  }
  return kept;
}
