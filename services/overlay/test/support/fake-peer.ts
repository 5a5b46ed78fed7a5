import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (response: ServerResponse, body: Record<string, unknown>, request: IncomingMessage) => void;

/** A server whose answers a test defines. */
export interface FakePeer {
  readonly url: string;
  /** The paths of all requests. */
  readonly asked: string[];
  /** The answers, by path. */
  readonly answers: Record<string, Answer>;
  close(): Promise<void>;
}

export async function startPeer(answers: Record<string, Answer> = {}): Promise<FakePeer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answers[path];
      const text = Buffer.concat(chunks).toString('utf8');
      if (answer === undefined) response.writeHead(404).end('{}');
      else answer(response, text.startsWith('{') ? JSON.parse(text) : {}, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const jsonAnswer =
  (value: unknown, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

/** Writes until the client disconnects. */
export const endlessAnswer =
  (contentType: string, chunk = Buffer.alloc(65_536, 0x20)): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': contentType });
    const write = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', write);
    write();
  };
