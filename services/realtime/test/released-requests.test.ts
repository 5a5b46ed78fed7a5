import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createLogger, JsonServer, type RoomEventBroker } from '@messagebox/shared';
import type { Server } from 'socket.io';
import type { Admission, AdmittedConnection } from '../src/sockets/admission.js';
import { attachSocketIo, createSocketIo } from '../src/sockets/socket-io.js';
import { openAdmission } from './support/open-admission.js';

/** The request of a connection would be a tenth of the memory of an idle socket. */
let io: Server;
let url: string;
let admission: Admission;
let server: JsonServer;
/** The responses that engine.io has made for websockets. */
let responses: { req: IncomingMessage | undefined }[];
let socket: Socket | undefined;

beforeEach(async () => {
  server = new JsonServer(
    (_request, response) => void response.writeHead(404).end(),
    createLogger('test', 'info', { write: () => undefined }),
  );
  io = createSocketIo({} as RoomEventBroker, 10_000);
  admission = openAdmission();
  attachSocketIo(io, server, { routingPrefix: '', admission, isDraining: () => false });
  responses = [];
  io.engine.use((request: IncomingMessage, response: { req: IncomingMessage | undefined }, next: () => void) => {
    if (request.headers.upgrade !== undefined) responses.push(response);
    next();
  });
  url = await server.listen(0, '127.0.0.1');
});
afterEach(async () => {
  socket?.destroy();
  io.engine.close();
  await server.close(100);
});

/** Opens a websocket. @returns the header block of the answer */
async function openWebsocket(query = ''): Promise<string> {
  socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString('latin1');
}

const connections = () =>
  Object.values((io.engine as unknown as { clients: Record<string, AdmittedConnection> }).clients);

test('an open websocket keeps neither its request nor a response with it, and its address stays known', async () => {
  const head = await openWebsocket();
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  expect(head.toLowerCase()).toContain('\r\naccess-control-allow-origin: *\r\n');
  const [connection] = connections();
  if (connection === undefined) throw new Error('There is no connection.');
  expect(connection.request).toBeUndefined();
  expect(responses.map(({ req }) => req)).toEqual([undefined]);
  expect(admission.getAddress(connection)).toBe('127.0.0.1');
});

test('a connection that begins with a long poll and goes on as a websocket keeps neither', async () => {
  const answer = await (await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).text();
  const { sid } = JSON.parse(answer.slice(1)) as { sid: string };
  expect(await openWebsocket(`&sid=${sid}`)).toMatch(/^HTTP\/1\.1 101 /);
  expect(connections().map(({ request }) => request)).toEqual([undefined]);
  expect(responses.map(({ req }) => req)).toEqual([undefined]);
});

test('a namespace can still be joined after the request was let go', async () => {
  const connected = new Promise<string>((resolve) =>
    io.on('connection', ({ handshake }) => resolve(handshake.address)),
  );
  await openWebsocket();
  // A masked text frame with the packet CONNECT: engine.io type 4, socket.io type 0.
  socket?.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]));
  expect(await connected).toBe('127.0.0.1');
});
