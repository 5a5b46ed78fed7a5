import { LiveWorld } from '../bad-input/live-world.ts';
import { RawClient } from '../bad-input/raw-client.ts';
import { HttpWire } from './wire/http-wire.ts';
import { PollingWire } from './wire/polling-wire.ts';

/** One request must not hold many units of what is limited: sockets without a proven identity. */
let live: LiveWorld;
beforeAll(async () => {
  live = await LiveWorld.start();
});
afterEach(async () => {
  await polling?.post('1');
  wire?.destroy();
  await live.closeSockets();
});
afterAll(() => live.close());

let wire: HttpWire | undefined;
let polling: PollingWire | undefined;

/** Posts so many CONNECTs to the namespace `/` in one request. */
async function connect(times: number): Promise<void> {
  wire = await HttpWire.open({ host: '127.0.0.1', port: live.world.server.port });
  polling = await PollingWire.open(wire);
  await polling.post('40\x1e'.repeat(times).slice(0, -1));
}

test.each([2, 4_001, 21_800])('%i CONNECTs in one request make one socket at most', async (times) => {
  await connect(times);
  expect(await live.world.server.unprovenSockets()).toBeLessThanOrEqual(1);
});

test('after 4,001 CONNECTs in one request an honest socket is admitted', async () => {
  await connect(4_001);
  const socket = await live.proven(new RawClient());
  await live.expectAlive(socket);
});
