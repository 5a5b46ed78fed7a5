import { encodeRequest, RawConnection } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { HttpTestBed } from '../bad-input/refusals.ts';

/** The log lines that strangers cause are bounded, each and together. */
let world: HttpTestBed;
beforeEach(async () => {
  world = await HttpTestBed.start();
});
afterEach(() => world.close());

const get = (path: string) => ({ method: 'GET', path, headers: [['Host', 'localhost'] as const] });
const long = 'p'.repeat(90_000);

test.each([
  ['a path of 90 KB', `/${long}`],
  ['a path of 2 KB', `/${'p'.repeat(2_000)}`],
  ['a query of 90 KB', `/devices?${long}`],
  ['a socket.io path of 90 KB', `/socket.io/${long}`],
  ['a socket.io query of 90 KB', `/socket.io/?EIO=4&transport=polling&sid=${long}`],
  ['a path of the overlay of 90 KB', `/lookup/${long}`],
])('200 requests with %s write a few KB into the log', async (_name, path) => {
  const mark = world.server.log.length;
  for (let i = 0; i < 200; i += 20) await Promise.all(Array.from({ length: 20 }, () => world.send(get(path))));
  const lines = world.server.log.slice(mark);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1_000);
  expect(lines.join('').length).toBeLessThan(250_000);
});

test('of 3,000 refused requests about a third leave a line at the usual level', async () => {
  const [mark, start] = [world.server.log.length, performance.now()];
  const wire = await RawConnection.to(world.server.port);
  wire.write(Buffer.concat(Array.from({ length: 3_000 }, () => encodeRequest(get('/nowhere')))));
  const linesOf = (msg: string) =>
    world.server.log.slice(mark).filter((line) => line.includes(`"msg":"${msg}"`)).length;
  // At debug level there is a line for each request.
  const isDone = () => world.server.log.length >= mark + 4_000 && linesOf('request') === 3_000;
  await waitForCondition(
    isDone,
    () => `all requests have been answered: ${linesOf('request')}, ${linesOf('request refused')}`,
    50_000,
  );
  wire.destroy();
  const seconds = (performance.now() - start) / 1_000;
  expect(linesOf('request refused')).toBeGreaterThanOrEqual(1_000);
  expect(linesOf('request refused')).toBeLessThanOrEqual(1_001 + 20 * seconds);
});
