import { randomBytes } from 'node:crypto';
import { type Answer, type Header, RawClient, withHeader } from '@messagebox/test-support/raw-client';
import { HttpTestBed } from '../bad-input/refusals.ts';
import { HttpConnection, shakeHands } from './wire/http-wire.ts';

/** Work before the check is bounded, and so are requests that fail it. */
const MAX_FAILURES = 100;
let world: HttpTestBed;
beforeAll(async () => {
  // However slow this machine is, all of them come within the time that the limit is about.
  world = await HttpTestBed.start({ RATE_FAILURES_PER_ADDRESS: `${MAX_FAILURES}/3600s` });
});
afterAll(() => world.close());

const status = ({ status: is }: Answer) => is;

test('a path of 60 KB is refused with 414 before anything else is looked at', async () => {
  const request = world.sender.sign({ method: 'GET', path: `/${'q'.repeat(60_000)}` });
  expect(status(await world.send(request))).toBe(414);
});

test('a query that names 100 recipients is still read', async () => {
  const recipients = Array.from({ length: 100 }, () => `recipient=${new RawClient().identityKey}`).join('&');
  const request = world.sender.sign({ method: 'GET', path: `/permissions/quote?messageBox=inbox&${recipients}` });
  expect(status(await world.send(request))).toBe(200);
});

test('1,950 headers that look signed are refused with 431', async () => {
  const headers = Array.from({ length: 1_950 }, (_, i): Header => [`x-bsv-${i}`, `${i}`]);
  expect(status(await world.send(world.sender.sign({ method: 'GET', path: '/devices', headers })))).toBe(431);
});

test('of too many bad signatures some are answered with 429, and another address is served all the time', async () => {
  const wire = await HttpConnection.open({ host: '127.0.0.1', port: world.server.port }, { localAddress: '127.0.2.1' });
  try {
    const session = await shakeHands(wire, new RawClient());
    const request = session.post('/listMessages', { messageBox: 'inbox' });
    const statuses = new Map<number, number>();
    for (let i = 0; i < MAX_FAILURES * 2 && !statuses.has(429); i++) {
      const forged = withHeader(request, 'x-bsv-auth-request-id', randomBytes(32).toString('base64'));
      const answer = await wire.exchange(forged);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status === 429) expect(answer.head).toMatch(/\r\nretry-after: \d+/i);
      if (i % 20 === 0) expect(status(await world.send(world.sendMessage()))).toBe(200);
    }
    expect([...statuses.keys()].sort()).toEqual([401, 429]);
    expect(status(await world.send(world.sendMessage()))).toBe(200);
  } finally {
    wire.destroy();
  }
});
