import { connect } from 'node:net';
import { createLogger, JsonServer, type RoomEventBroker } from '@messagebox/shared';
import type { Server } from 'socket.io';
import { readConnectionId } from '../src/sockets/connection-id.js';
import { acceptForwarded } from '../src/sockets/forward-to-owner.js';
import { attachSocketIo, createSocketIo } from '../src/sockets/socket-io.js';
import { openAdmission } from './support/open-admission.js';

/** New connections are admitted at the public port. The internal port must not accept any. */
const log = createLogger('test', 'info', { write: () => undefined });
const answer404 = () => new JsonServer((_request, response) => void response.writeHead(404).end(), log);
const [front, internal] = [answer404(), answer404()];
let io: Server;
let url: string;
beforeAll(async () => {
  io = createSocketIo({} as RoomEventBroker, 10_000);
  attachSocketIo(io, front, { routingPrefix: '', admission: openAdmission(), isDraining: () => false });
  acceptForwarded(io, internal);
  await front.listen(0, '127.0.0.1');
  url = await internal.listen(0, '127.0.0.1');
});
afterAll(async () => {
  io.engine.close();
  await Promise.all([front.close(100), internal.close(100)]);
});

const queriesWithoutId = [
  '',
  '&sid',
  '&sid=',
  '&sid=&sid=',
  '&sid=AAAAAAAAAAAA.x&sid=',
  '&SID=x',
  '&sid[]=x',
  '&x=%26sid=x',
  '#&sid=x',
];

test.each(queriesWithoutId)('a poll with the query %j opens no connection on the internal port', async (query) => {
  const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling${query}`);
  expect(response.status).toBe(400);
  expect(io.engine.clientsCount).toBe(0);
});

test.each(queriesWithoutId)('a websocket with the query %j opens no connection on the internal port', async (query) => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.end(
    `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  expect(answer).not.toMatch(/^HTTP\/1\.1 101/);
  expect(io.engine.clientsCount).toBe(0);
});

test.each<[string, string | undefined]>([
  ['/socket.io/?sid=a', 'a'],
  ['/socket.io/?sid=a&sid=b', 'b'],
  ['/socket.io/?sid=a&sid=', undefined],
  ['/socket.io/?sid=&sid=b', 'b'],
  ['/socket.io/?x?sid=a&sid=b', 'b'],
  ['/socket.io/?a=1#&sid=a', undefined],
  ['/socket.io/?s%69d=a', 'a'],
  ['/socket.io/', undefined],
])('reads the connection id of %s as %j', (target, id) => {
  expect(readConnectionId(target)).toBe(id);
});
