import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateVapidKeys } from '@messagebox/shared';
import { createThrowawayAuthority } from '@messagebox/test-support/throwaway-authority';
import { type Subscription, startWebPushService, type WebPushService } from '@messagebox/test-support/web-push-service';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { Person } from '../acceptance/people.js';
import { ConsolePage } from './support/console-page.js';
import { describeInBrowser } from './support/describe-in-browser.js';

const authority = createThrowawayAuthority();
const keys = generateVapidKeys();

/** The parts of a service worker's global scope that the tests use; its types don't go with those of a page. */
interface WorkerScope {
  readonly WindowClient: { readonly prototype: { focus(this: { readonly url: string }): Promise<unknown> } };
  readonly NotificationEvent: new (
    type: string,
    init: { readonly notification: Notification },
  ) => Event & { waitUntil: (promise: Promise<unknown>) => void };
  readonly registration: ServiceWorkerRegistration;
  readonly dispatchEvent: (event: Event) => boolean;
}

/** A notification as the page finds it. */
interface Shown {
  readonly title: string;
  readonly body: string;
}

/**
 * Chromium subscribes at a push service of its maker, which tests can't reach. So the page gets a subscription at the test's
 * service, and what that service has decrypted is handed to the service worker through the DevTools protocol.
 */
async function subscribeAt(context: BrowserContext, subscription: Subscription): Promise<void> {
  await context.addInitScript(
    ({ given, serverKey }) => {
      let isSubscribed = false;
      const toBytes = (text: string) =>
        Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0)).buffer;
      const made = {
        endpoint: given.endpoint,
        options: { applicationServerKey: toBytes(serverKey), userVisibleOnly: true },
        toJSON: () => ({ ...given, expirationTime: null }),
        unsubscribe: async () => true,
      };
      PushManager.prototype.getSubscription = async () => (isSubscribed ? made : null) as unknown as PushSubscription;
      PushManager.prototype.subscribe = async (options) => {
        const key = new Uint8Array(options?.applicationServerKey as ArrayBuffer);
        if (String(key) !== String(new Uint8Array(toBytes(serverKey)))) throw new Error('the key is another one');
        isSubscribed = true;
        return made as unknown as PushSubscription;
      };
    },
    { given: subscription, serverKey: keys.publicKey },
  );
}

/** Follows the service workers of a page. @returns dispatches a push to the registration that is there */
async function openWorkerSession(page: Page): Promise<(data: string) => Promise<void>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const registrations = new Promise<string>((resolve) => {
    session.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
      const active = versions.find(({ status }) => status === 'activated');
      if (active !== undefined) resolve(active.registrationId);
    });
  });
  await session.send('ServiceWorker.enable');
  return async (data) => {
    const registrationId = await registrations;
    await session.send('ServiceWorker.deliverPushMessage', {
      origin: new URL(page.url()).origin,
      registrationId,
      data,
    });
  };
}

const listShown = (page: Page) =>
  page.evaluate<Shown[]>(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body }) => ({ title, body }));
  });

/** Waits until the browser shows a notification, and fails when none comes. */
async function waitForShown(page: Page, count = 1): Promise<Shown[]> {
  await page.waitForFunction(async (expected) => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).length >= expected;
  }, count);
  return listShown(page);
}

describeInBrowser('notifications of the console', (browser) => {
  const folder = mkdtempSync(join(tmpdir(), 'notifications-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  let service: WebPushService;
  const deployment = useDeployment(async () => {
    service = await startWebPushService(authority);
    return deployStandalone({
      VAPID_PUBLIC_KEY: keys.publicKey,
      VAPID_PRIVATE_KEY: keys.privateKey,
      NODE_EXTRA_CA_CERTS: caFile,
      PUSH_BOXES: 'inbox=New mail|Open the console to read it.',
    });
  });
  afterAll(async () => {
    await service.close();
    rmSync(folder, { recursive: true });
  });
  const url = () => deployment().apis[0];

  test('a browser is registered, its worker shows what was pushed, and a click opens the console', async () => {
    const context = await browser().newContext({ permissions: ['notifications'] });
    const subscription = service.subscribe(keys.publicKey);
    await subscribeAt(context, subscription);
    const tab = await ConsolePage.open(context, url(), '#/identity');
    const { page } = tab;
    await page.getByRole('heading', { name: 'Notifications' }).waitFor();
    await page.getByText('“inbox”').waitFor();
    await page.getByRole('button', { name: 'Notify this browser' }).click();
    await page.getByText('This browser is notified of messages for this identity.').waitFor();
    const key = (await page.locator('.key-card code').textContent()) ?? '';
    const deliver = await openWorkerSession(page);

    const sender = new Person();
    const message = { recipient: key, messageBox: 'inbox', messageId: 'told', body: 'not to be told' };
    expect(await sender.send(url(), message)).toMatchObject({ status: 200 });
    await service.waitUntilReceived(1);
    const [pushed] = service.received;
    expect(pushed?.endpoint).toBe(subscription.endpoint);
    expect(pushed?.payload).toMatchObject({ data: { recipient: key, sender: sender.key, messageId: 'told' } });
    await deliver(pushed?.text ?? '');
    expect(await waitForShown(page)).toEqual([{ title: 'New mail', body: 'Open the console to read it.' }]);
    // A repeated push of the same message replaces it.
    await deliver(pushed?.text ?? '');
    await deliver('no JSON');
    expect(await waitForShown(page, 2)).toEqual(
      expect.arrayContaining([
        { title: 'New mail', body: 'Open the console to read it.' },
        { title: 'New Message', body: '' },
      ]),
    );

    const [worker] = context.serviceWorkers();
    const opened = await worker?.evaluate(async () => {
      const { WindowClient, NotificationEvent, registration, dispatchEvent } = globalThis as unknown as WorkerScope;
      const called: string[] = [];
      // Only a real click gives the right to focus a window.
      WindowClient.prototype.focus = async function focus() {
        called.push(`focus ${new URL(this.url).pathname}`);
        return this;
      };
      const [notification] = await registration.getNotifications();
      if (notification === undefined) throw new Error('there is no notification');
      let ended: Promise<unknown> = Promise.resolve();
      const click = new NotificationEvent('notificationclick', { notification });
      click.waitUntil = (promise) => {
        ended = promise;
      };
      dispatchEvent.call(globalThis, click);
      await ended;
      return called;
    });
    expect(opened).toEqual(['focus /console/']);
    expect(await listShown(page)).toHaveLength(1);

    await page.getByRole('button', { name: 'Stop notifying this browser' }).click();
    await page.getByRole('button', { name: 'Notify this browser' }).waitFor();
    expect(await sender.send(url(), { ...message, messageId: 'untold' })).toMatchObject({ status: 200 });
    expect(await sender.send(url(), { ...message, messageId: 'untold, too' })).toMatchObject({ status: 200 });
    await sender.close();
    await context.close();
    expect(service.received).toHaveLength(1);
    expect(tab.errors).toEqual([]);
  });

  test('a visitor who does not allow notifications is told what to do', async () => {
    const context = await browser().newContext({ permissions: [] });
    await subscribeAt(context, service.subscribe(keys.publicKey));
    await context.addInitScript(() => {
      Notification.requestPermission = async () => 'denied';
    });
    const tab = await ConsolePage.open(context, url(), '#/identity');
    await tab.page.getByRole('button', { name: 'Notify this browser' }).click();
    await tab.page.getByText('This browser does not allow notifications here.').waitFor();
    expect(await tab.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
    await context.close();
    expect(tab.errors).toEqual([]);
  });

  test('no other script can be made a worker', async () => {
    const context = await browser().newContext();
    const { page } = await ConsolePage.open(context, url(), '#/identity');
    await page.getByRole('button', { name: 'Notify this browser' }).waitFor();
    const refusal = await page.evaluate(() =>
      navigator.serviceWorker.register('./assets/other.js').then(
        () => 'registered',
        (error: unknown) => String(error),
      ),
    );
    expect(refusal).toMatch(/TrustedScriptURL/);
    await context.close();
  });
});
