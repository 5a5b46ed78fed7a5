import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createProxyServer } from 'httpxy';

/** An edge without stickiness: each request, and each upgrade, goes to the next of its targets. */
export interface RoundRobin {
  readonly url: string;
  /** How many requests and upgrades each target got. */
  readonly counts: readonly number[];
  /** Sends nothing more to a target. */
  remove(target: string): void;
  close(): Promise<void>;
}

export async function startRoundRobin(targets: readonly string[]): Promise<RoundRobin> {
  const live = [...targets];
  const counts = targets.map(() => 0);
  let turn = 0;
  const next = () => {
    const target = live[turn++ % live.length] as string;
    const index = targets.indexOf(target);
    counts[index] = (counts[index] ?? 0) + 1;
    return target;
  };
  const proxy = createProxyServer({});
  const server = createServer((request, response) => {
    proxy.web(request, response, { target: next() }).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    socket.on('error', () => socket.destroy());
    proxy.ws(request, socket, { target: next() }, head).catch(() => socket.destroy());
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    remove(target) {
      live.splice(live.indexOf(target), 1);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
