import { LiveTestBed } from '../bad-input/live-world.ts';

/** The structure of frames is bounded before they are parsed. */
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterEach(() => live.closeSockets());
afterAll(() => live.close());

/** Calls of JSON.parse with a text of a kind that must not be parsed. */
async function parsedWhile(act: () => Promise<unknown>): Promise<unknown[]> {
  const parse = jest.spyOn(JSON, 'parse');
  try {
    await act();
    return parse.mock.calls.filter(([text]) => text.includes('{},{},{},{}'));
  } finally {
    parse.mockRestore();
  }
}

test.each([['websocket'], ['polling']])(
  'a frame of 150,000 objects ends its connection by %s, and is not parsed',
  async (transport) => {
    const socket = await live.proven(undefined, [transport]);
    const frame = { version: '0.1', messageType: 'general', payload: Array.from({ length: 150_000 }, () => ({})) };
    expect(await parsedWhile(() => live.ended(socket, () => socket.send(frame)))).toEqual([]);
    await live.expectAllServed();
  },
);

test('a signed event of 150,000 objects is refused, and is not parsed', async () => {
  const socket = await live.proven();
  const event = Buffer.from(`{"eventName":"joinRoom","data":[${'{},'.repeat(150_000)}0]}`);
  const frame = socket.session?.frame(event);
  const refused = () => live.refusedFrame(socket, () => socket.send(frame), 'ERR_AUTH_MALFORMED');
  expect(await parsedWhile(refused)).toEqual([]);
  await live.expectAlive(socket);
});

test('a signed event with a text of 1 MB in a frame of some 4 MB is taken', async () => {
  const socket = await live.proven();
  const roomId = live.room();
  const message = {
    messageId: 'large',
    recipient: live.http.recipient.client.identityKey,
    body: 'b'.repeat(1_000_000),
  };
  socket.send(
    socket.session?.frame(Buffer.from(JSON.stringify({ eventName: 'sendMessage', data: { roomId, message } }))),
  );
  expect(await socket.waitFor(`sendMessageAck-${roomId}`)).toMatchObject({ data: { status: 'success' } });
});
