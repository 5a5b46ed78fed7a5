import { HttpTestBed } from '../bad-input/refusals.ts';
import { HttpConnection } from './wire/http-wire.ts';

/** Places for requests under way are shared fairly: who holds all of them with unfinished bodies yields to others. */
const CONNECTIONS = 2_000;
const AT_ONCE = 50;
let world: HttpTestBed;
const wires: HttpConnection[] = [];
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(async () => {
  for (const wire of wires) wire.destroy();
  await world.close();
});

test('while one address holds 2,000 requests with one byte of their bodies, another one is served', async () => {
  const endpoint = { host: '127.0.0.1', port: world.server.port };
  for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
    const opened = Array.from({ length: AT_ONCE }, () => HttpConnection.open(endpoint, { localAddress: '127.0.2.1' }));
    wires.push(...(await Promise.all(opened)));
  }
  const beginning =
    'POST /.well-known/auth HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 300\r\n\r\n{';
  for (const wire of wires) wire.write(beginning);
  // A later request on this machine is read after them.
  const last = await HttpConnection.open(endpoint, { localAddress: '127.0.2.1' });
  wires.push(last);
  await last.exchange({ method: 'GET', path: '/health/live', headers: [] });

  const answer = await world.send(world.sendMessage());
  expect(answer).toMatchObject({ status: 200 });
});
