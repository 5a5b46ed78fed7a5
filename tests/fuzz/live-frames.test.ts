import { RawClient, type RawSocket } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import fc from 'fast-check';
import { LiveTestBed } from '../bad-input/live-world.js';
import { fuzzTest } from './support/fuzz-test.js';
import { Judge } from './support/judge.js';
import { mutatedBytes, mutatedJson, oddValues } from './support/mutations.js';

/** So high that no case is refused because of the ones before it. */
const RATE = '100000000/1s';
const RATES = { RATE_FAILURES_PER_ADDRESS: RATE, RATE_NEW_SOCKETS_PER_ADDRESS: RATE, RATE_EVENTS_PER_IDENTITY: RATE };

let bed: LiveTestBed;
let judge: Judge;
let socket: RawSocket | undefined;
beforeAll(async () => {
  bed = await LiveTestBed.start(RATES);
  judge = new Judge(bed.http.server);
});
afterAll(async () => {
  await bed.expectAllServed();
  judge.finish();
  await bed.close();
});

/** A connection whose identity is proven. Refused frames end it, so there may have to be another one. */
async function connect(): Promise<RawSocket> {
  if (socket === undefined || !socket.connected) {
    await bed.closeSockets();
    socket = await bed.proven();
  }
  return socket;
}

type Events = RawSocket['received'];

/**
 * Does something on a connection, and judges what comes on it until the server has worked through what was sent, or has ended
 * the connection.
 *
 * @param isSend whether to wait for the result of a send, which may come after the answers to later events
 * @returns what came
 */
async function judgeSocket(act: (on: RawSocket) => void, isSend = false): Promise<Events> {
  const on = await connect();
  act(on);
  const roomId = `${bed.http.sender.client.identityKey}-fence ${Math.random()}`;
  on.event('leaveRoom', roomId);
  for (;;) {
    const left = await on.waitFor('leftRoom').catch((error: unknown) => {
      if (on.connected) throw error;
    });
    if (left === undefined || (left.data as { roomId: unknown }).roomId === roomId) break;
  }
  const isResult = ({ name }: Events[number]) => name.startsWith('sendMessageAck-') || name.endsWith('Failed');
  if (isSend) await waitForCondition(() => !on.connected || on.received.some(isResult), 'the result of a send', 30_000);
  const received = on.received.splice(0);
  for (const { name, data } of received) {
    expect(name).not.toBe('an event that was not signed for us');
    const { code } = (data ?? {}) as { code?: unknown };
    if (code !== undefined) judge.judgeCode(code);
  }
  judge.readLog();
  return received;
}

/** Sends a payload that is signed, and does what `judgeSocket` does. */
function judgePayload(payload: Buffer): Promise<Events> {
  const send = (on: RawSocket) => {
    if (on.session === undefined) throw new Error('there is no session');
    on.send(on.session.frame(payload));
  };
  return judgeSocket(send, /"eventName":"sendMessage"/.test(payload.toString()));
}

/** What `judgeSocket` does, and that nothing was stored. */
async function expectNothingStored(act: (on: RawSocket) => void): Promise<Events> {
  const rows = await bed.http.server.rows();
  const received = await judgeSocket(act);
  expect(await bed.http.server.rows()).toEqual(rows);
  return received;
}

const [alice, bob] = [1, 2].map((byte) => new RawClient(Buffer.alloc(32, byte))) as [RawClient, RawClient];
const room = `${bob.identityKey}-inbox`;
const message = { messageId: 'id', recipient: bob.identityKey, body: 'hello' };
const EVENTS = [
  { eventName: 'authenticated', data: { identityKey: alice.identityKey } },
  { eventName: 'joinRoom', data: room },
  { eventName: 'leaveRoom', data: room },
  { eventName: 'sendMessage', data: { roomId: room, message } },
  {
    eventName: 'sendMessage',
    data: { roomId: room, message: { ...message, body: { text: 'hello' } }, payment: { tx: [1], outputs: [] } },
  },
];

fuzzTest(
  'a signed event with any content is answered, and stores no more than it acknowledges',
  400,
  mutatedJson(EVENTS),
  async (event) => {
    const rows = await bed.http.server.rows();
    const received = await judgePayload(Buffer.from(JSON.stringify(event) ?? ''));
    const isStored = ({ name, data }: Events[number]) =>
      name.startsWith('sendMessageAck-') && (data as { status?: unknown }).status === 'success';
    if (!received.some(isStored)) expect(await bed.http.server.rows()).toEqual(rows);
  },
);

fuzzTest(
  'a signed payload of any bytes is refused or answered',
  200,
  mutatedBytes(EVENTS.map((event) => Buffer.from(JSON.stringify(event)))),
  async (payload) => {
    await judgePayload(payload);
  },
);

/** How a valid frame is changed: the places and the values come from a change of a frame that has the same form. */
const frameFields = [
  'version',
  'messageType',
  'identityKey',
  'nonce',
  'yourNonce',
  'payload',
  'signature',
  'initialNonce',
];

fuzzTest(
  'a frame with changed fields is refused, and stores nothing',
  300,
  fc.record({
    field: fc.constantFrom(...frameFields),
    value: fc.oneof(
      oddValues,
      fc.uint8Array().map((bytes) => [...bytes]),
    ),
    isRemoved: fc.boolean(),
  }),
  async ({ field, value, isRemoved }) => {
    const received = await expectNothingStored((on) => {
      const frame = on.session?.event('sendMessage', { roomId: room, message: { ...message, messageId: 'changed' } });
      if (field === 'initialNonce') on.send({ ...alice.initialRequest(), initialNonce: value });
      else on.send({ ...frame, [field]: isRemoved ? undefined : value });
    });
    for (const { name, data } of received) {
      if (name === 'authenticationFailed')
        expect(data).toEqual({ reason: expect.stringMatching(/^[A-Za-z][^<>]{5,200}$/) });
    }
  },
);

fuzzTest(
  'a frame of any JSON is refused, and stores nothing',
  200,
  mutatedJson([[alice.initialRequest()], [null], [{}, {}]]),
  async (args) => {
    await expectNothingStored((on) => on.send(...(Array.isArray(args) ? args : [args])));
  },
);

fuzzTest(
  'any socket.io packet is refused, and stores nothing',
  200,
  fc.oneof(
    mutatedBytes(
      [
        '2["authMessage",{}]',
        '0{"a":1}',
        '1',
        '3["x"]',
        '51-["authMessage",{"_placeholder":true,"num":0}]',
        '2/other,["x"]',
      ].map((text) => Buffer.from(text)),
    ),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  ),
  async (packet) => {
    await expectNothingStored((on) => on.packet(packet.toString('latin1')));
  },
);
