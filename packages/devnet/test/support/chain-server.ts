import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerChainCall, answerFaucet, type LocalChain, LocalChainError } from '../../src/index.js';

/** Starts a server that has only the development routes. */
export async function serveChain(chain: LocalChain): Promise<{ origin: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    try {
      const body = JSON.parse(Buffer.concat(parts).toString());
      if (request.url === '/development/faucet') answer(200, await answerFaucet(chain, body));
      else answer(200, { result: await answerChainCall(chain, body.method, body.args) });
    } catch (error) {
      const { message } = error as Error;
      answer(error instanceof LocalChainError ? 400 : 500, { status: 'error', description: message });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
