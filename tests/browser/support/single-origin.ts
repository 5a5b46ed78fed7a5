import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createProxyServer } from 'httpxy';

/** One address in front of scaled services, as an edge is. */
export interface SingleOrigin {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Sends /socket.io/ to the realtimes and everything else to the apis, each request to the next one: nothing depends on
 * meeting the same process twice.
 */
export async function openSingleOrigin(services: {
  readonly apis: readonly string[];
  readonly realtimes: readonly string[];
}): Promise<SingleOrigin> {
  let turn = 0;
  const findTarget = (path: string) => {
    const targets = path.startsWith('/socket.io/') ? services.realtimes : services.apis;
    return targets[turn++ % targets.length] as string;
  };
  const proxy = createProxyServer({});
  const server = createServer((request, response) => {
    proxy.web(request, response, { target: findTarget(request.url ?? '/') }).catch(() => response.destroy());
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    socket.on('error', () => socket.destroy());
    proxy.ws(request, socket, { target: findTarget(request.url ?? '/') }, head).catch(() => socket.destroy());
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
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
