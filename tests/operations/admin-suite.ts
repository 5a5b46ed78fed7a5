import { randomUUID } from 'node:crypto';
import { PrivateKey } from '@bsv/sdk';
import { withDatabase } from '../acceptance/database.js';
import { type Deploy, useDeployment } from '../acceptance/deployments.js';
import { waitUntil } from '../acceptance/history.js';
import { createPeople, type Person } from '../acceptance/people.js';

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const BLOCKED = { status: 403, body: { status: 'error', code: 'ERR_IDENTITY_BLOCKED' } };

interface Ranked {
  readonly identityKey: string;
  readonly messageBox?: string;
  readonly messages: number;
  readonly bytes: number;
}

/**
 * The routes of operators and of own accounts, on a deployment of any kind.
 *
 * @param services the kinds of processes that the deployment has
 */
export function adminSuite(deploy: Deploy, services: readonly string[]): void {
  const operatorKey = PrivateKey.fromRandom();
  const at = useDeployment(() => deploy({ ADMIN_IDENTITY_KEYS: operatorKey.toPublicKey().toString() }));
  const someone = createPeople();

  const send = async (from: Person, to: Person, body = 'hello', messageBox = 'inbox') => {
    const messageId = randomUUID();
    const answer = await from.send(at().apis[0], { recipient: to.key, messageBox, messageId, body });
    expect(answer).toMatchObject({ status: 200 });
    return messageId;
  };
  const ask = (path: string, api = 0) => someone(operatorKey).get(`${at().apis[api]}${path}`);
  const tell = (path: string, body: unknown = {}, api = 0) =>
    someone(operatorKey).post(`${at().apis[api]}${path}`, body);

  test('tells which instances run, and that they are ready', async () => {
    const sorted = (list: unknown) => (list as { service: string }[]).map(({ service }) => service).sort();
    await waitUntil('all are ready', async () => {
      const { body } = await ask('/admin/instances');
      const instances = body['instances'] as { state: string }[];
      return instances.length === services.length && instances.every(({ state }) => state === 'ready');
    });
    const { body } = await ask('/admin/instances', 1);
    expect(sorted(body['instances'])).toEqual([...services].sort());
    for (const instance of body['instances'] as object[]) {
      expect(instance).toEqual({
        id: expect.any(String),
        service: expect.any(String),
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        startedAt: ISO,
        seenAt: ISO,
        state: 'ready',
        reasons: [],
        sockets: expect.any(Number),
        rssBytes: expect.any(Number),
        heapBytes: expect.any(Number),
        loopDelayMs: expect.any(Number),
      });
    }
  });

  test('adds up what all instances do', async () => {
    const [alice, bob] = [someone(), someone()];
    const socket = await bob.connect(at().realtimes[1]);
    const pushed = await socket.join('inbox');
    const messageId = await send(alice, bob);
    await pushed.waitFor((push) => push.messageId === messageId);
    await waitUntil('the delivery is counted', async () => {
      const { body } = await ask('/admin/stats');
      const { sockets, deliveryLatencyMs, history } = body as unknown as {
        sockets: number;
        deliveryLatencyMs: { p95: number | null };
        history: { sockets: number }[];
      };
      return sockets >= 1 && deliveryLatencyMs.p95 !== null && history.some((entry) => entry.sockets >= 1);
    });
    const { status, body } = await ask('/admin/stats', 1);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'success',
      time: ISO,
      uptimeSeconds: expect.any(Number),
      rates: {
        messagesPerSecond: expect.any(Number),
        acknowledgedPerSecond: expect.any(Number),
        requestsPerSecond: expect.any(Number),
        pushesPerSecond: expect.any(Number),
      },
      deliveryLatencyMs: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
      queue: { waiting: expect.any(Number), active: expect.any(Number), failed: 0 },
      storage: { messages: expect.any(Number), bytes: expect.any(Number), identities: expect.any(Number) },
      limitsHit: expect.any(Array),
    });
    const [entry] = (body['history'] as object[]).slice(-1);
    expect(Object.keys(entry ?? {}).sort()).toEqual(['messagesPerSecond', 'p95', 'sockets', 'time']);
  });

  test('a blocked identity can not use the server, on any instance, until it is unblocked', async () => {
    const [alice, bob] = [someone(), someone()];
    const socket = await bob.connect(at().realtimes[1]);
    const failed = socket.events('authenticationFailed').waitForNext();
    const disconnected = new Promise((resolve) => socket.io.once('disconnect', resolve));
    const path = `/admin/identities/${bob.key}`;
    expect(await tell(`${path}/block`, { reason: 'floods others' })).toEqual({
      status: 200,
      body: {
        status: 'success',
        identityKey: bob.key,
        blocked: { since: ISO, by: operatorKey.toPublicKey().toString(), reason: 'floods others' },
      },
    });
    expect(JSON.stringify(await failed)).toContain('blocked this identity');
    await disconnected;
    for (const api of at().apis) {
      await waitUntil('the instance knows', async () => (await bob.get(`${api}/devices`)).status === 403);
      expect(await bob.get(`${api}/devices`)).toMatchObject(BLOCKED);
      expect(await bob.post(`${api}/listMessages`, { messageBox: 'inbox' })).toMatchObject(BLOCKED);
      expect(await bob.post(`${api}/nowhere`, {})).toMatchObject(BLOCKED);
      const message = { recipient: alice.key, messageBox: 'inbox', messageId: randomUUID(), body: 'spam' };
      expect(await bob.send(api, message)).toMatchObject(BLOCKED);
    }
    expect(await alice.list(at().apis[0], 'inbox')).toEqual([]);
    const again = bob.createSocket(at().realtimes[0]);
    const refusal = again.events('authenticationFailed').waitForNext();
    again.client.emit('authenticated', { identityKey: bob.key });
    expect(JSON.stringify(await refusal)).toContain('blocked this identity');

    const messageId = await send(alice, bob);
    expect(await ask(path)).toMatchObject({ body: { blocked: { reason: 'floods others' } } });
    expect(await tell(`${path}/unblock`)).toMatchObject({ status: 200, body: { blocked: null } });
    for (const api of at().apis) {
      await waitUntil('the instance knows', async () => (await bob.get(`${api}/devices`)).status === 200);
      expect(await bob.listIds(api, 'inbox')).toEqual([messageId]);
    }
    const { body } = await ask('/admin/audit?limit=2');
    expect(body['entries']).toMatchObject([
      { action: 'unblock', subject: bob.key, operator: operatorKey.toPublicKey().toString(), time: ISO },
      { action: 'block', subject: bob.key, details: { reason: 'floods others' } },
    ]);
  });

  test('ranks boxes and senders by bytes and by messages, page by page', async () => {
    const [alice, bob, carol] = [someone(), someone(), someone()];
    await send(alice, bob, 'x'.repeat(9_000), 'large');
    for (let i = 0; i < 3; i++) await send(carol, bob, 'y', 'many');
    await tell(`/admin/identities/${carol.key}/purge`); // what is counted is counted again
    const mine = (list: unknown) =>
      (list as Ranked[]).filter(({ identityKey }) => [alice, bob, carol].some(({ key }) => key === identityKey));
    const readAll = async (path: string, name: string) => {
      const found: Ranked[] = [];
      for (let after = ''; ; ) {
        const { status, body } = await ask(`${path}&limit=1${after}`);
        expect(status).toBe(200);
        found.push(...(body[name] as Ranked[]));
        if (body['next'] === null) return found;
        after = `&after=${encodeURIComponent(String(body['next']))}`;
      }
    };
    const boxes = await readAll('/admin/boxes?order=bytes', 'boxes');
    expect(mine(boxes)).toMatchObject([
      { identityKey: bob.key, messageBox: 'large', messages: 1, oldest: ISO },
      { identityKey: bob.key, messageBox: 'many', messages: 3 },
    ]);
    expect(boxes.map(({ bytes }) => bytes)).toEqual(boxes.map(({ bytes }) => bytes).sort((a, b) => b - a));
    expect(mine(await readAll('/admin/boxes?order=messages', 'boxes'))[0]).toMatchObject({ messageBox: 'many' });
    expect(mine(await readAll('/admin/senders?order=bytes', 'senders'))).toMatchObject([
      { identityKey: alice.key, messages: 1 },
      { identityKey: carol.key, messages: 3 },
    ]);
    expect(mine(await readAll('/admin/senders?order=messages', 'senders'))[0]).toMatchObject({
      identityKey: carol.key,
    });
    const { body } = await ask(`/admin/identities/${bob.key}`);
    expect(body).toMatchObject({
      blocked: null,
      boxes: [
        { messageBox: 'large', messages: 1, oldest: ISO },
        { messageBox: 'many', messages: 3, oldest: ISO },
      ],
      received: { messages: 4 },
      sent: { messages: 0, bytes: 0 },
      devices: 0,
      permissions: 0,
    });
    expect(JSON.stringify([boxes, body])).not.toContain('xxxx');
  });

  test('a purge removes what carries no payment, in one box or in all', async () => {
    const [alice, bob] = [someone(), someone()];
    const paid = await send(alice, bob, 'with money');
    const free = await send(alice, bob);
    const elsewhere = await send(alice, bob, 'hello', 'another box');
    await withDatabase(at(), (knex) =>
      knex('messages')
        .where({ messageId: Buffer.from(paid) })
        .update({ carries_payment: 1 }),
    );
    const path = `/admin/identities/${bob.key}/purge`;
    expect(await tell(path, { messageBox: 'inbox' })).toEqual({
      status: 200,
      body: { status: 'success', identityKey: bob.key, removed: 1, kept: 1 },
    });
    expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([paid]);
    expect(await bob.listIds(at().apis[0], 'another box')).toEqual([elsewhere]);
    expect(await tell(path)).toMatchObject({ body: { removed: 1, kept: 1 } });
    expect(await bob.listIds(at().apis[0], 'another box')).toEqual([]);
    expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([paid]);
    expect(await tell(path, { messageBox: 'no such box' })).toMatchObject({ body: { removed: 0, kept: 0 } });
    const { body } = await ask('/admin/audit?limit=3');
    expect(body['entries']).toMatchObject([
      { action: 'purge', details: { messageBox: 'no such box', removed: 0, kept: 0 } },
      { action: 'purge', details: { removed: 1, kept: 1 } },
      { action: 'purge', subject: bob.key, details: { messageBox: 'inbox', removed: 1, kept: 1 } },
    ]);
    expect(free).not.toBe(paid);
  });

  test('shows the configuration without secrets, and records changed fees', async () => {
    const { body } = await ask('/admin/config');
    const settings = new Map(
      (body['settings'] as { name: string; value: unknown; isGiven: boolean }[]).map((setting) => [
        setting.name,
        setting,
      ]),
    );
    expect(settings.get('ADMIN_IDENTITY_KEYS')).toMatchObject({
      value: operatorKey.toPublicKey().toString(),
      isGiven: true,
    });
    expect(settings.get('MAX_BODY_BYTES')).toMatchObject({ value: expect.stringMatching(/^\d+$/), isGiven: false });
    expect(settings.get('MIGRATE_KEY')).toEqual({ name: 'MIGRATE_KEY', value: 'not set', isGiven: false });
    const { SERVER_PRIVATE_KEY, KNEX_DB_CONNECTION } = at().env;
    for (const secret of [SERVER_PRIVATE_KEY, KNEX_DB_CONNECTION]) {
      if (secret !== undefined) expect(JSON.stringify(body)).not.toContain(secret);
    }
    if (SERVER_PRIVATE_KEY !== undefined) expect(settings.get('SERVER_PRIVATE_KEY')?.value).toBe('set');
    const fee = { messageBox: 'a priced box', deliveryFee: 7 };
    expect(await someone(operatorKey).post(`${at().apis[0]}/admin/fees`, fee, 'PUT')).toMatchObject({ status: 200 });
    expect((await ask('/admin/audit?limit=1')).body['entries']).toMatchObject([
      { action: 'set fee', subject: 'a priced box', details: { deliveryFee: 7 } },
    ]);
  });

  test('the audit log is read page by page', async () => {
    const key = someone().key;
    for (let i = 0; i < 3; i++) await tell(`/admin/identities/${key}/purge`, { messageBox: `box ${i}` });
    const first = (await ask('/admin/audit?limit=2')).body;
    const second = (await ask(`/admin/audit?limit=2&after=${String(first['next'])}`, 1)).body;
    const boxes = [first, second].flatMap(({ entries }) =>
      (entries as { details: { messageBox: string } }[]).map(({ details }) => details.messageBox),
    );
    expect(boxes.slice(0, 3)).toEqual(['box 2', 'box 1', 'box 0']);
  });

  test('lists jobs and advertisements, and knows no job to retry', async () => {
    expect(await ask('/admin/jobs')).toEqual({ status: 200, body: { status: 'success', jobs: [] } });
    expect(await ask('/admin/jobs?state=completed&limit=100')).toMatchObject({ status: 200 });
    expect(await tell(`/admin/jobs/${randomUUID()}/retry`)).toMatchObject({
      status: 404,
      body: { code: 'ERR_JOB_NOT_FOUND' },
    });
    expect(await ask('/admin/advertisements')).toEqual({
      status: 200,
      body: { status: 'success', advertisements: [] },
    });
  });

  test('everybody takes along what the server keeps of them, page by page', async () => {
    const [alice, bob] = [someone(), someone()];
    const sent = new Map<string, string>();
    for (let i = 0; i < 4; i++) {
      const body = `${i}${'"'.repeat(1_000_000)}`;
      sent.set(await send(alice, bob, body, i % 2 === 0 ? 'inbox' : 'other'), body);
    }
    await bob.post(`${at().apis[0]}/permissions/set`, { messageBox: 'inbox', sender: alice.key, recipientFee: 3 });
    for (const one of [alice, bob]) {
      await one.post(`${at().apis[0]}/registerDevice`, { fcmToken: 'a-token', platform: 'web' });
    }
    const lines: Record<string, unknown>[] = [];
    let pages = 0;
    for (let after: unknown = null; ; ) {
      const answer = await bob.postForHeaders(`${at().apis[pages % 2]}/account/export`, { after });
      expect(answer.status).toBe(200);
      const texts = (await answer.text()).trimEnd().split('\n');
      const page = texts.map((text) => JSON.parse(text) as Record<string, unknown>);
      const end = page.pop();
      expect(end).toMatchObject({ type: 'end' });
      lines.push(...page);
      pages += 1;
      after = end?.['next'];
      if (after === null) break;
    }
    expect(pages).toBeGreaterThan(1);
    expect(lines[0]).toEqual({ type: 'account', identityKey: bob.key, exportedAt: ISO });
    const messages = lines.filter(({ type }) => type === 'message');
    expect(new Set(messages.map(({ messageId }) => messageId))).toEqual(new Set(sent.keys()));
    for (const message of messages) {
      expect(message).toMatchObject({ sender: alice.key, createdAt: ISO });
      expect(message['body'] === sent.get(String(message['messageId']))).toBe(true);
    }
    expect(lines.filter(({ type }) => type !== 'message').slice(1)).toMatchObject([
      { type: 'permission', messageBox: 'inbox', sender: alice.key, recipientFee: 3 },
      { type: 'device', fcmToken: 'a-token', platform: 'web' },
    ]);
  });

  test('everybody deletes what the server keeps of them, and payments only when they say so', async () => {
    const [alice, bob] = [someone(), someone()];
    const socket = await bob.connect(at().realtimes[1]);
    await socket.join('inbox');
    const disconnected = new Promise((resolve) => socket.io.once('disconnect', resolve));
    const paid = await send(alice, bob, 'with money');
    await send(alice, bob);
    const toAlice = await send(bob, alice);
    for (const one of [alice, bob]) await one.post(`${at().apis[0]}/registerDevice`, { fcmToken: 'their-token' });
    await withDatabase(at(), (knex) =>
      knex('messages')
        .where({ messageId: Buffer.from(paid) })
        .update({ carries_payment: 1 }),
    );
    const path = `${at().apis[0]}/account/delete`;
    expect(await bob.post(path, { confirm: bob.key.toUpperCase() })).toEqual({
      status: 200,
      body: {
        status: 'success',
        removed: { messages: 1, boxes: 0, permissions: 0, devices: 1, payments: 0 },
        keptPayments: [{ messageBox: 'inbox', messageId: paid, sender: alice.key }],
        keptPaymentCount: 1,
      },
    });
    await disconnected;
    expect(await bob.listIds(at().apis[1], 'inbox')).toEqual([paid]);
    expect(await bob.post(path, { confirm: bob.key, includePayments: true })).toMatchObject({
      status: 200,
      body: { removed: { messages: 1, boxes: 1 }, keptPayments: [], keptPaymentCount: 0 },
    });
    expect(await bob.listIds(at().apis[1], 'inbox')).toEqual([]);
    // What it has sent is the recipient's, and so is the other registration of its device.
    expect(await alice.get(`${at().apis[1]}/devices`)).toMatchObject({
      body: { devices: [{ fcmToken: '...heir-token' }] },
    });
    expect(await alice.listIds(at().apis[1], 'inbox')).toEqual([toAlice]);
    // The identity may come back as a new one.
    const again = await send(alice, bob);
    expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([again]);
  });
}
