import { World } from '../bad-input/refusals.ts';
import { HttpWire } from './wire/http-wire.ts';

/** What strangers write into the log has a bound, for each line and for all of them. */
const REQUESTS = 200;
const MAX_LINE_BYTES = 2_048;
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

const long = 'p'.repeat(90_000);

test.each<[string, string, (string | undefined)?]>([
  ['a path of 90 KB', `/${long}`],
  ['a query of 90 KB', `/devices?${long}`],
  ['a socket.io path of 90 KB', `/socket.io/${long}`],
  ['a socket.io query of 90 KB', `/socket.io/?EIO=4&transport=polling&sid=${long}`],
  ['a namespace of the overlay with 90 KB', `/lookup/${long}`],
])('200 requests with %s leave no more than 400 KB in the log', async (_name, path) => {
  const mark = world.server.log.length;
  const endpoint = { host: '127.0.0.1', port: world.server.port };
  let wire = await HttpWire.open(endpoint);
  for (let i = 0; i < REQUESTS; i++) {
    if (!wire.isOpen) wire = await HttpWire.open(endpoint);
    await wire.exchange({ method: 'GET', path, headers: [] });
  }
  wire.destroy();
  const lines = world.server.log.slice(mark);
  expect(Math.max(0, ...lines.map((line) => line.length))).toBeLessThanOrEqual(MAX_LINE_BYTES);
  expect(lines.join('').length).toBeLessThanOrEqual(REQUESTS * MAX_LINE_BYTES);
});
