import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthFetch, PrivateKey } from '@bsv/sdk';
import { deriveP256PublicKey } from '@messagebox/messages';
import { generateVapidKeys } from '@messagebox/shared';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createThrowawayAuthority } from '@messagebox/test-support/throwaway-authority';
import { type Subscription, startWebPushService, type WebPushService } from '@messagebox/test-support/web-push-service';
import { startService } from '../support/service-process.js';
import { type Deploy, deployScaled, deployStandalone, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { waitUntil } from './history.js';
import { createPeople, Person } from './people.js';

const authority = createThrowawayAuthority();
const folder = mkdtempSync(join(tmpdir(), 'web-push-'));
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, authority.certificate);
afterAll(() => rmSync(folder, { recursive: true }));

/** Browsers are registered over HTTP and pushed to by the real processes. */
function webPushSuite(deploy: Deploy): void {
  let service: WebPushService;
  const keys = generateVapidKeys();
  const admin = PrivateKey.fromRandom();
  const at = useDeployment(async () => {
    service = await startWebPushService(authority);
    return deploy({
      VAPID_PUBLIC_KEY: keys.publicKey,
      VAPID_PRIVATE_KEY: keys.privateKey,
      VAPID_SUBJECT: 'mailto:operator@host.example',
      ADMIN_IDENTITY_KEYS: admin.toPublicKey().toString(),
      NODE_EXTRA_CA_CERTS: caFile,
    });
  });
  const someone = createPeople();
  beforeAll(async () => {
    // Other tests cover the price of a push.
    const response = await new AuthFetch(new Person(admin).wallet).fetch(`${at().apis[0]}/admin/fees`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ messageBox: 'notifications', deliveryFee: 0 }),
    });
    expect(response.status).toBe(200);
  });
  afterAll(() => service.close());
  afterEach(() => {
    service.answer = () => undefined;
  });

  /** Somebody with a browser, who takes notifications of everybody for nothing. */
  const listener = async (subscription = service.subscribe(keys.publicKey)) => {
    const person = someone();
    const free = { messageBox: 'notifications', recipientFee: 0 };
    expect(await person.post(`${at().apis[0]}/permissions/set`, free)).toMatchObject({ status: 200 });
    const registered = await person.post(`${at().apis[0]}/registerDevice`, { platform: 'web', subscription });
    expect(registered).toMatchObject({ status: 200, body: { status: 'success' } });
    return { person, subscription };
  };
  const notify = async (recipient: Person, sender = someone()) => {
    const messageId = randomUUID();
    const message = { recipient: recipient.key, messageBox: 'notifications', messageId, body: 'wake up' };
    expect(await sender.send(at().apis[1], message)).toMatchObject({ status: 200 });
    return { messageId, sender: sender.key };
  };
  const pushesTo = ({ endpoint }: Subscription) => service.received.filter((push) => push.endpoint === endpoint);
  const untilPushed = (subscription: Subscription, count = 1) =>
    waitUntil(`${count} pushes to a browser`, () => pushesTo(subscription).length >= count);
  const devicesOf = async (person: Person) =>
    (await person.get(`${at().apis[1]}/devices`)).body['devices'] as { active: boolean; fcmToken: string }[];

  test('a message reaches the browser, encrypted for it and signed by the server', async () => {
    const { person, subscription } = await listener();
    const info = await (await fetch(`${at().apis[0]}/info`)).json();
    expect(info).toMatchObject({ push: { vapidPublicKey: keys.publicKey } });
    const { messageId, sender } = await notify(person);
    await untilPushed(subscription);
    expect(pushesTo(subscription)).toMatchObject([
      {
        payload: {
          title: 'New Message',
          body: messageId,
          data: { messageId, messageBox: 'notifications', recipient: person.key, sender },
        },
        ttl: 86_400,
        urgency: 'high',
        topic: expect.stringMatching(/^[\w-]{32}$/),
        vapid: { key: keys.publicKey, subject: 'mailto:operator@host.example' },
      },
    ]);
    expect(pushesTo(subscription)[0]?.text).not.toContain('wake up');
    expect(service.refused).toEqual([]);
    expect(await devicesOf(person)).toMatchObject([
      { platform: 'web', active: true, fcmToken: `...${subscription.endpoint.slice(-10)}` },
    ]);
    await waitUntil('the message is there', async () =>
      (await person.listIds(at().apis[0], 'notifications')).includes(messageId),
    );
  });

  test('a browser that is gone is listed as inactive', async () => {
    const { person, subscription } = await listener();
    service.answer = (push) => (push.endpoint === subscription.endpoint ? { status: 410 } : undefined);
    await notify(person);
    await waitUntil('it is inactive', async () => (await devicesOf(person))[0]?.active === false);
    expect(pushesTo(subscription)).toHaveLength(1);
  });

  test('of two identities in one browser, each gets its pushes, and after a logout only the other', async () => {
    const { person: alice, subscription } = await listener();
    const { person: bob } = await listener(subscription);
    const sent = [await notify(alice), await notify(bob)];
    await untilPushed(subscription, 2);
    const told = () =>
      pushesTo(subscription).map(({ payload }) => (payload['data'] as { recipient: string }).recipient);
    expect(told().sort()).toEqual([alice.key, bob.key].sort());
    expect(pushesTo(subscription).map(({ payload }) => payload['body'])).toEqual(
      expect.arrayContaining(sent.map(({ messageId }) => messageId)),
    );
    const { endpoint } = subscription;
    expect(await alice.post(`${at().apis[1]}/unregisterDevice`, { endpoint })).toMatchObject({ status: 200 });
    await notify(alice);
    await notify(bob);
    await untilPushed(subscription, 3);
    expect(told().slice(2)).toEqual([bob.key]);
    expect(await devicesOf(alice)).toEqual([]);
  });
}

describe('Web Push of standalone', () => webPushSuite(deployStandalone));
describeScaled('Web Push of several processes', () => webPushSuite(deployScaled));

test('standalone makes its keys once, for its user only, and pushes with them after a restart', async () => {
  const data = createTemporaryFolder();
  const service = await startWebPushService(authority);
  const env = { HOST: '127.0.0.1', DATA_DIR: data.path, NODE_EXTRA_CA_CERTS: caFile, PUSH_BOXES: 'inbox' };
  const process = await startService({ name: 'standalone', env });
  try {
    const file = join(data.path, 'vapid-private-key');
    const privateKey = readFileSync(file, 'utf8').trim();
    const publicKey = deriveP256PublicKey(privateKey);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await process.restart();
    expect(readFileSync(file, 'utf8').trim()).toBe(privateKey);
    const told = await (await fetch(`${process.url}/info`)).text();
    expect(JSON.parse(told)).toMatchObject({ push: { vapidPublicKey: publicKey } });
    expect(told).not.toContain(privateKey);
    // The service takes pushes of this key only.
    const subscription = service.subscribe(publicKey);
    const person = new Person();
    await person.post(`${process.url}/registerDevice`, { platform: 'web', subscription });
    const message = { recipient: person.key, messageBox: 'inbox', messageId: randomUUID(), body: 'hello' };
    expect(await person.send(process.url, message)).toMatchObject({ status: 200 });
    await service.waitUntilReceived(1);
    expect(service.received[0]?.vapid.key).toBe(publicKey);
    await person.close();
  } finally {
    await process.kill();
    await service.close();
    data.remove();
  }
});
