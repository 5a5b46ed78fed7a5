import { once } from 'node:events';
import { RawClient } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { LiveTestBed } from '../bad-input/live-world.ts';
import { encodeFrameHeader, WebsocketConnection } from './wire/websocket-wire.ts';

/** Frames that are still coming have a bound for each socket, and one for all of them together. */
const SOCKETS = 16;
const FRAME_BYTES = 12_500_000;
const MAX_BYTES_HELD = 134_217_728;
const CHUNK = Buffer.alloc(65_536, '7');
let live: LiveTestBed;
const wires: WebsocketConnection[] = [];
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterAll(async () => {
  for (const wire of wires) wire.destroy();
  await live.close();
});

async function sendAllButTheEnd(wire: WebsocketConnection): Promise<void> {
  wire.socket.write(encodeFrameHeader(FRAME_BYTES));
  for (let sent = 0; sent + CHUNK.length < FRAME_BYTES && wire.isOpen; sent += CHUNK.length) {
    if (!wire.socket.write(CHUNK)) await Promise.race([once(wire.socket, 'drain').catch(() => undefined), wire.ended]);
  }
}

const held = async () =>
  Number(/^messagebox_socket_frame_bytes\{.*\} (\d+)$/m.exec(await live.http.server.metrics())?.[1]);

test('sockets that never end their frames are ended themselves, and others go on', async () => {
  const greedy = new RawClient();
  for (let i = 0; i < SOCKETS; i++) {
    wires.push(await WebsocketConnection.proven({ host: '127.0.0.1', port: live.http.server.port }, greedy));
  }
  await Promise.all(wires.map(sendAllButTheEnd));
  const room = Math.floor(MAX_BYTES_HELD / FRAME_BYTES);
  await waitForCondition(
    () => wires.filter(({ isOpen }) => isOpen).length <= room,
    'those that find no room are ended',
  );
  expect(await held()).toBeLessThanOrEqual(MAX_BYTES_HELD);

  const honest = await live.proven(new RawClient());
  honest.event('an event that is large', 'x'.repeat(1_000_000));
  await live.expectAlive(honest);

  for (const wire of wires) wire.destroy();
  await waitForCondition(() => live.http.server.openSockets() === 1, 'the server forgets closed sockets');
  expect(await held()).toBe(0);
});
