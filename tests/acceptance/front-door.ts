import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One address in front of several apis, as a load balancer is, that counts what passes. */
export interface FrontDoor {
  readonly url: string;
  /** Sets the targets of later requests: with several targets, each request goes to the next. */
  setTarget(...urls: readonly string[]): void;
  /** Headers of the last answer that has passed. */
  readonly lastHeaders: IncomingHttpHeaders;
  /** How many handshakes have passed. */
  readonly handshakes: number;
  close(): Promise<void>;
}

export async function openFrontDoor(firstTarget: string): Promise<FrontDoor> {
  let targets: readonly string[] = [firstTarget];
  let turn = 0;
  let handshakes = 0;
  let lastHeaders: IncomingHttpHeaders = {};
  const server = createServer((incoming, answer) => {
    if (incoming.url === '/.well-known/auth') handshakes += 1;
    const { method, headers } = incoming;
    const target = targets[turn++ % targets.length];
    const onward = request(new URL(incoming.url ?? '/', target), { method, headers, agent: false });
    onward.on('response', (response) => {
      lastHeaders = response.headers;
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  // A connection that is closed for being idle may be closed just when its client uses it again.
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setTarget(...urls) {
      targets = urls;
    },
    get lastHeaders() {
      return lastHeaders;
    },
    get handshakes() {
      return handshakes;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
