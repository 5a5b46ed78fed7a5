import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createErrorHandler, createLogger, JsonServer } from '@messagebox/shared';
import { BoxStatusReader, type MessageStore, openDatabase } from '@messagebox/store';
import { RawConnection, sendRaw } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import express, { type Response } from 'express';
import { ResponseMemory } from '../../services/api/src/http/response-memory.ts';
import { listMessagesRoute } from '../../services/api/src/routes/list-messages.ts';

/** Answers that wait to be taken have a bound, in all and for each identity. */
const MEBIBYTE = 1_048_576;
const MAX_ANSWER = 8 * MEBIBYTE;
const keyOf = (letter: string) => `02${letter.repeat(64)}`;
const [ALICE, BOB, CAROL] = [keyOf('a'), keyOf('b'), keyOf('c')];

let store: MessageStore;
let server: JsonServer;
let port: number;
let refused = 0;
let turns = 0;
const memory = new ResponseMemory(2 * MAX_ANSWER, () => {
  refused += 1;
});
const readers: Socket[] = [];

beforeAll(async () => {
  const database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  store = database.messages;
  await store.migrate();
  for (const recipient of [ALICE, BOB]) {
    for (let i = 0; i < 10; i++) {
      const body = `${i}`.padEnd(MEBIBYTE, 'x');
      await store.storeMessages([{ recipient, messageBox: 'full', messageId: `id ${i}`, sender: ALICE, body }]);
    }
  }
  const one = { recipient: CAROL, messageBox: 'full', messageId: 'id', sender: ALICE, body: 'little' };
  await store.storeMessages([one]);
  const log = createLogger('api', 'info', { write: () => undefined });
  const app = express();
  // Stands for authentication, which has a suite of its own.
  app.post('/list/:identityKey', (request, _response, next) => {
    const { identityKey } = request.params;
    const rawBody = Buffer.from('{"messageBox":"full"}');
    request.auth = { identityKey, rawBody } as NonNullable<typeof request.auth>;
    next();
  });
  const runInTurn = async <T>(_request: express.Request, work: () => T) => {
    turns += 1;
    return work();
  };
  const boxes = new BoxStatusReader(database.sql);
  app.post(
    '/list/:identityKey',
    listMessagesRoute({ store, boxes, maxBytes: MAX_ANSWER, responseMemory: memory, runInTurn }),
  );
  app.use(createErrorHandler(log));
  server = new JsonServer(app, log);
  port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.destroy();
  await waitForCondition(() => memory.used === 0, 'all answers are let go of');
});
afterAll(async () => {
  await server.close(500);
  await store.close();
});

/** Asks for a list, and reads nothing of it. */
async function listUnread(identityKey: string): Promise<Socket> {
  const before = memory.used;
  const socket = connect(port, '127.0.0.1');
  readers.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.pause();
  socket.write(`POST /list/${identityKey} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
  await waitForCondition(() => memory.used > before, 'the answer is accounted for');
  return socket;
}

const list = (identityKey: string) => sendRaw(port, { method: 'POST', path: `/list/${identityKey}`, headers: [] });

test('a list for which there is no room is refused with 429, and is given once there is', async () => {
  const [first] = [await listUnread(ALICE), await listUnread(ALICE)];
  const answer = await list(ALICE);
  expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
  expect(JSON.parse(answer.text)).toMatchObject({ code: 'ERR_TOO_MANY_REQUESTS' });
  expect(refused).toBe(1);

  const held = memory.used;
  first.destroy();
  await waitForCondition(() => memory.used < held, 'the first answer is let go of');
  const wire = await RawConnection.to(port);
  wire.write(`POST /list/${ALICE} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
  expect(await wire.answer()).toMatchObject({ status: 200 });
  wire.destroy();
});

test('a list for which nothing is left is refused before its messages are read', async () => {
  const unread = Object.assign(new EventEmitter(), { destroyed: false }) as unknown as Response;
  memory.open(ALICE, unread).reserve(2 * MAX_ANSWER);
  const readBodies = jest.spyOn(store, 'readBodies');
  expect(await list(ALICE)).toMatchObject({ status: 429 });
  expect(readBodies).not.toHaveBeenCalled();
  readBodies.mockRestore();
  unread.emit('close');
});

test('while one identity holds everything, another within its share is served, and the first loses its oldest', async () => {
  const [oldest, younger] = [await listUnread(ALICE), await listUnread(ALICE)];
  const { messages, hasMore } = JSON.parse((await list(BOB)).text) as { messages: unknown[]; hasMore: boolean };
  expect(messages).toHaveLength(7);
  expect(hasMore).toBe(true);
  // Its end is behind what it has not read.
  oldest.resume();
  await once(oldest, 'close');
  expect(younger.destroyed).toBe(false);
});

test('small answers are given while there is no room for large ones', async () => {
  await listUnread(ALICE);
  await listUnread(ALICE);
  expect(await list(CAROL)).toMatchObject({ status: 200 });
});

test('a list waits for the turn of its caller when it is read, and when it is written', async () => {
  turns = 0;
  expect(await list(CAROL)).toMatchObject({ status: 200 });
  expect(turns).toBe(2);
});
