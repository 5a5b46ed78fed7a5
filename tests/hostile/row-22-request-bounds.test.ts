import {
  type Answer,
  encodeRequest,
  type Header,
  RawClient,
  RawConnection,
  type WireRequest,
} from '@messagebox/test-support/raw-client';
import { HttpTestBed } from '../bad-input/refusals.ts';

/** A request is judged by its shape before any work is done for it. */
let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const get = (path: string, headers: Header[] = []): WireRequest => ({ method: 'GET', path, headers });
const many = (count: number, prefix: string) => Array.from({ length: count }, (_, i): Header => [`${prefix}${i}`, '1']);

async function refused(request: WireRequest, status: number): Promise<Answer> {
  const answer = await world.expectRefused(request, 'ERR_BAD_REQUEST');
  expect(answer.status).toBe(status);
  return answer;
}

test.each(['/', '/socket.io/', '/lookup/', '/health/live/', '//'])(
  'a path of 60 KB that begins with %s is refused with 414',
  async (start) => {
    await refused(get(start.padEnd(60_000, 'q')), 414);
    await refused(world.sender.sign({ method: 'GET', path: start.padEnd(60_000, 'q') }), 414);
  },
);

test('a path of 2,048 bytes is read, and one of 2,049 is not', async () => {
  await world.expectRefused(get('/'.padEnd(2_048, 'q')), 'UNAUTHORIZED');
  await refused(get('/'.padEnd(2_049, 'q')), 414);
});

test('a query that names 100 recipients is read', async () => {
  const recipients = Array.from({ length: 100 }, () => `recipient=${new RawClient().identityKey}`).join('&');
  const request = world.sender.sign({ method: 'GET', path: `/permissions/quote?messageBox=inbox&${recipients}` });
  expect((await world.send(request)).status).toBe(200);
});

test('more than 64 headers that look signed are refused with 431, whatever their case', async () => {
  await refused(world.sender.sign({ method: 'GET', path: '/devices', headers: many(1_950, 'x-bsv-') }), 431);
  await refused(get('/devices', many(65, 'x-bsv-')), 431);
  await refused(get('/devices', many(65, 'X-BSV-')), 431);
  await world.expectRefused(get('/devices', many(64, 'x-bsv-')), 'UNAUTHORIZED');
});

test('more than 200 headers are refused with 431', async () => {
  await refused(get('/devices', many(201, 'x-other-')), 431);
});

test('a websocket that is offered with too long a path is refused like any request', async () => {
  const headers: Header[] = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ];
  await refused(get('/socket.io/'.padEnd(3_000, 'q'), headers), 414);
});

test('the next request of the same connection is not served', async () => {
  const wire = await RawConnection.to(world.server.port);
  wire.write(Buffer.concat([encodeRequest(get('/'.padEnd(3_000, 'q'))), encodeRequest(get('/health/live'))]));
  expect((await wire.answer('GET')).headers['connection']).toBe('close');
  await wire.ended;
});

test('what is refused so is counted', async () => {
  expect(await world.server.metrics()).toMatch(/messagebox_limits_hit_total\{limit="path_length"[^}]*\} \d+/);
});
