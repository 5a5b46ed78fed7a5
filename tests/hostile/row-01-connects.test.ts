import { RawClient } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from '../bad-input/live-world.ts';
import { HttpConnection } from './wire/http-wire.ts';
import { PollingConnection } from './wire/polling-wire.ts';

/** One request must not hold many units of what is limited: sockets without a proven identity. */
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterEach(async () => {
  await polling?.post('1');
  wire?.destroy();
  await live.closeSockets();
});
afterAll(() => live.close());

let wire: HttpConnection | undefined;
let polling: PollingConnection | undefined;

/** Posts so many CONNECTs to the namespace `/` in one request. */
async function connect(times: number): Promise<void> {
  wire = await HttpConnection.open({ host: '127.0.0.1', port: live.http.server.port });
  polling = await PollingConnection.open(wire);
  await polling.post('40\x1e'.repeat(times).slice(0, -1));
}

test.each([2, 4_001, 21_800])('%i CONNECTs in one request make one socket at most', async (times) => {
  await connect(times);
  expect(await live.http.server.unprovenSockets()).toBeLessThanOrEqual(1);
});

test('after 4,001 CONNECTs in one request an honest socket is admitted', async () => {
  await connect(4_001);
  const socket = await live.proven(new RawClient());
  await live.expectAlive(socket);
});
