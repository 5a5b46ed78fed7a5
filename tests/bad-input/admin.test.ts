import { randomUUID } from 'node:crypto';
import { RawClient, type Session, type WireRequest } from '@messagebox/test-support/raw-client';
import { HttpTestBed } from './refusals.ts';

let world: HttpTestBed;
let admin: Session;
beforeAll(async () => {
  const operator = new RawClient();
  world = await HttpTestBed.start({ ADMIN_IDENTITY_KEYS: operator.identityKey });
  admin = await operator.shakeHands(world.server.port);
  await world.expectAccepted(world.sendMessage());
});
afterAll(() => world.close());

const get = (session: Session, path: string) => session.sign({ method: 'GET', path });
const KEY = new RawClient().identityKey;
const OFF_CURVE = `02${'ff'.repeat(32)}`;
const GET_ROUTES = [
  '/admin/stats',
  '/admin/instances',
  '/admin/boxes',
  '/admin/senders',
  `/admin/identities/${KEY}`,
  '/admin/fees',
  '/admin/jobs',
  '/admin/advertisements',
  '/admin/config',
  '/admin/audit',
];
const POST_ROUTES = [
  `/admin/identities/${KEY}/block`,
  `/admin/identities/${KEY}/unblock`,
  `/admin/identities/${KEY}/purge`,
  `/admin/jobs/${randomUUID()}/retry`,
];

/** What operators have recorded and decided, as an operator reads it. */
async function readDecisions(): Promise<unknown> {
  const { entries } = await world.expectAccepted(get(admin, '/admin/audit?limit=100'), admin);
  const { blocked } = await world.expectAccepted(get(admin, `/admin/identities/${KEY}`), admin);
  return { entries, blocked };
}

describe('who is no operator', () => {
  test.each(GET_ROUTES)('is refused at GET %s', async (path) => {
    await world.expectRefused(get(world.sender, path), 'ERR_NOT_ADMIN');
  });

  test.each(POST_ROUTES)('is refused at POST %s, and nothing changes', async (path) => {
    const before = await readDecisions();
    await world.expectRefused(world.sender.post(path, {}), 'ERR_NOT_ADMIN');
    // Who has signed is looked at first, and then what.
    await world.expectRefused(world.sender.post(path, '{'), 'ERR_NOT_ADMIN');
    expect(await readDecisions()).toEqual(before);
  });

  test.each([...GET_ROUTES, ...POST_ROUTES])('needs a session at %s', async (path) => {
    const request = { method: GET_ROUTES.includes(path) ? 'GET' : 'POST', path, headers: [] };
    await world.expectRefused(request, 'UNAUTHORIZED');
  });
});

describe('an operator', () => {
  const refuse = async (request: WireRequest, code: string) => {
    const before = await readDecisions();
    await world.expectRefused(request, code, admin);
    expect(await readDecisions()).toEqual(before);
  };

  describe.each(['', '/block', '/unblock', '/purge'])('names an identity for /admin/identities/:key%s', (action) => {
    test.each(['x', 'self', KEY.slice(2), `${KEY}00`, OFF_CURVE, `04${KEY.slice(2)}`, '%00', '%F0%9F%98%80', '..%2Fx'])(
      'not as %s',
      async (key) => {
        const path = `/admin/identities/${key}${action}`;
        await refuse(action === '' ? get(admin, path) : admin.post(path, {}), 'ERR_INVALID_PUBLIC_KEY');
      },
    );
  });

  test.each(['/admin/boxes', '/admin/senders', '/admin/jobs', '/admin/audit'])(
    'asks %s for 1 to 100 entries',
    async (path) => {
      for (const limit of ['0', '-1', '101', '1e2', '1.5', 'many', '', '999999999999999999', '1&limit=2']) {
        await refuse(get(admin, `${path}?limit=${limit}`), 'ERR_INVALID_LIMIT');
      }
      await world.expectAccepted(get(admin, `${path}?limit=100`), admin);
    },
  );

  test.each(['/admin/boxes', '/admin/senders', '/admin/audit'])('goes on at %s from a cursor', async (path) => {
    for (const after of ['x', '-', '1-', '-1', 'null', `${'9'.repeat(17)}-1`, `1-${'f'.repeat(67)}`, '1&after=2', '']) {
      await refuse(get(admin, `${path}?after=${after}`), 'ERR_INVALID_AFTER');
    }
  });

  test.each(['/admin/boxes', '/admin/senders'])('orders %s by bytes or messages', async (path) => {
    for (const order of ['age', '', 'BYTES', '__proto__', 'bytes&order=bytes']) {
      await refuse(get(admin, `${path}?order=${order}`), 'ERR_INVALID_ORDER');
    }
  });

  test('asks for jobs in a state that exists', async () => {
    for (const state of ['lost', '', 'toString']) {
      await refuse(get(admin, `/admin/jobs?state=${state}`), 'ERR_INVALID_REQUEST');
    }
  });

  test('retries a job that exists', async () => {
    for (const id of [randomUUID(), 'x', '__proto__', 'a%3Ab', '%00', 'x'.repeat(1_500)]) {
      await refuse(admin.post(`/admin/jobs/${id}/retry`, {}), 'ERR_JOB_NOT_FOUND');
    }
  });

  test('gives a text as the reason of a block', async () => {
    for (const reason of [1, true, {}, ['x'], 'x'.repeat(501), 'a\0b', '\ud800']) {
      await refuse(admin.post(`/admin/identities/${KEY}/block`, { reason }), 'ERR_INVALID_REQUEST');
    }
    await refuse(admin.post(`/admin/identities/${KEY}/block`, '{'), 'ERR_INVALID_JSON');
  });

  test('names a box to purge by a box name', async () => {
    const recipient = world.recipient.client.identityKey;
    for (const messageBox of ['', ' ', 'x'.repeat(256), 7, {}, ['inbox'], 'in\0box']) {
      await refuse(admin.post(`/admin/identities/${recipient}/purge`, { messageBox }), 'ERR_INVALID_MESSAGEBOX');
    }
    expect(await world.list()).toHaveLength(1);
  });

  test('can not be blocked', async () => {
    const path = `/admin/identities/${admin.client.identityKey}/block`;
    await refuse(admin.post(path, {}), 'ERR_IDENTITY_IS_OPERATOR');
    const upperCase = `/admin/identities/${admin.client.identityKey.toUpperCase()}/block`;
    await refuse(admin.post(upperCase, {}), 'ERR_IDENTITY_IS_OPERATOR');
  });
});

describe('a blocked identity', () => {
  test('is refused on every route, and learns nothing of its messages', async () => {
    const blocked = await new RawClient().shakeHands(world.server.port);
    await world.expectAccepted(admin.post(`/admin/identities/${blocked.client.identityKey}/block`, {}), admin);
    for (const path of ['/devices', '/permissions/list', '/nowhere', '/admin/stats']) {
      await world.expectRefused(get(blocked, path), 'ERR_IDENTITY_BLOCKED', blocked);
    }
    const message = world.message().message;
    for (const [path, body] of [
      ['/sendMessage', { message }],
      ['/listMessages', { messageBox: 'inbox' }],
      ['/acknowledgeMessage', { messageIds: ['x'] }],
      ['/permissions/set', { messageBox: 'inbox', recipientFee: 1 }],
      ['/registerDevice', { fcmToken: 'token' }],
      ['/account/export', {}],
      ['/account/delete', { confirm: blocked.client.identityKey }],
    ] as const) {
      await world.expectRefused(blocked.post(path, body), 'ERR_IDENTITY_BLOCKED', blocked);
    }
    await world.expectAccepted(admin.post(`/admin/identities/${blocked.client.identityKey}/unblock`, {}), admin);
    await world.expectAccepted(get(blocked, '/devices'), blocked);
  });
});

describe('the account of the caller', () => {
  test('is exported from a cursor of an earlier answer', async () => {
    const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const after of [
      '',
      'x',
      7,
      {},
      'x'.repeat(3_000),
      cursor([]),
      cursor(['messages']),
      cursor(['everything', '']),
      cursor(['messages', 7]),
      cursor(['permissions', 'x']),
      cursor(['devices', '1']),
      cursor(['payments', 'ff']),
      cursor({ part: 'messages', after: '' }),
    ]) {
      await world.expectRefused(world.sender.post('/account/export', { after }), 'ERR_INVALID_AFTER');
    }
  });

  test('is deleted only when the caller confirms it with the own key', async () => {
    const { sender, recipient } = world;
    for (const confirm of [undefined, null, '', true, KEY, sender.client.identityKey, [recipient.client.identityKey]]) {
      const request = recipient.post('/account/delete', { confirm });
      await world.expectRefused(request, 'ERR_NOT_CONFIRMED', recipient);
    }
    const confirm = recipient.client.identityKey;
    for (const includePayments of ['true', 1, {}, []]) {
      const request = recipient.post('/account/delete', { confirm, includePayments });
      await world.expectRefused(request, 'ERR_INVALID_REQUEST', recipient);
    }
    await world.expectRefused(recipient.post('/account/delete', '{'), 'ERR_INVALID_JSON', recipient);
    expect(await world.list()).toHaveLength(1);
  });
});
