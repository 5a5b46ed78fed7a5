import { World } from '../bad-input/refusals.ts';
import { linesSince } from '../bad-input/server.ts';

/** What strangers write into the log has a bound, for each line and for all of them. */
let world: World;
beforeEach(async () => {
  world = await World.start();
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

test('of 1,000 refused requests some 200 leave a line at the usual level', async () => {
  const [mark, start] = [world.server.log.length, performance.now()];
  for (let i = 0; i < 1_000; i += 50) await Promise.all(Array.from({ length: 50 }, () => world.send(get('/nowhere'))));
  const seconds = (performance.now() - start) / 1_000;
  const refused = linesSince(world.server, mark).filter(({ msg }) => msg === 'request refused');
  expect(refused.length).toBeGreaterThanOrEqual(200);
  expect(refused.length).toBeLessThanOrEqual(201 + 20 * seconds);
});
