import { once } from 'node:events';
import { createServer, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An edge that adds headers to requests, as one does that begins traces. */
export interface AddingEdge {
  readonly url: string;
  /** Added to each request from now on. Names in lower case. */
  headers: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Passes requests on to one server. */
export async function startAddingEdge(target: string): Promise<AddingEdge> {
  const edge = { headers: {} as Readonly<Record<string, string>> };
  const server = createServer((request, response) => {
    const { method = 'GET', url = '/', headers } = request;
    const passed = sendRequest(new URL(url, target), { method, headers: { ...headers, ...edge.headers } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.once('error', () => response.destroy());
    request.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get headers() {
      return edge.headers;
    },
    set headers(headers) {
      edge.headers = headers;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
