import { randomBytes } from 'node:crypto';
import { PrivateKey } from '@bsv/sdk';
import { openStore } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import type { BrowserContext } from 'playwright-core';
import { deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { Person } from '../acceptance/people.js';
import { startService } from '../support/service-process.js';
import { ConsolePage } from './support/console-page.js';
import { describeInBrowser } from './support/describe-in-browser.js';

describeInBrowser('the console in trouble', (browser) => {
  const deployment = useDeployment(() => deployStandalone());
  const url = () => deployment().apis[0];
  const friend = new Person();
  let context: BrowserContext;
  let tab: ConsolePage;

  beforeEach(async () => {
    context = await browser().newContext();
  });
  afterEach(async () => {
    await context.close();
    expect(tab.errors).toEqual([]);
  });

  /** Lets somebody else send a message that is not encrypted. */
  async function sendFromElsewhere(recipient: string, body: string): Promise<void> {
    const messageId = randomBytes(16).toString('hex');
    await friend.post(`${url()}/sendMessage`, { message: { recipient, messageBox: 'inbox', messageId, body } });
  }

  test('a device that goes offline is told so, and gets what arrived meanwhile when it is back', async () => {
    tab = await ConsolePage.open(context, url());
    await tab.pane().waitForState('Live');
    const key = await tab.pane().readKey();
    await context.setOffline(true);
    await tab.pane().waitForState('Offline');
    await tab.page.getByRole('alert').getByText('This device is offline.').waitFor();
    await sendFromElsewhere(key, 'While you were out');
    await context.setOffline(false);
    await tab.pane().waitForState('Live');
    await tab.pane().message('While you were out').waitFor();
  });

  test('a message that is written offline is not lost from the form', async () => {
    tab = await ConsolePage.open(context, url());
    await tab.pane().waitForState('Live');
    await context.setOffline(true);
    await tab.pane().waitForState('Offline');
    await tab.pane().write(friend.key, 'A long text');
    await tab.page.getByRole('button', { name: 'Send' }).click();
    await tab.page
      .getByRole('alert')
      .getByText(/Nothing was lost here/)
      .waitFor();
    expect(await tab.pane().root.getByLabel('Message', { exact: true }).inputValue()).toBe('A long text');
  });

  test('messages arrive live by long polling where websockets are blocked', async () => {
    await context.addInitScript(() => {
      globalThis.WebSocket = class {
        constructor() {
          throw new Error('blocked');
        }
      } as unknown as typeof WebSocket;
    });
    tab = await ConsolePage.open(context, url());
    await tab.pane().waitForState('Live');
    await tab.page.getByText('by long polling').waitFor();
    await sendFromElsewhere(await tab.pane().readKey(), 'The slow way');
    await tab.pane().message('The slow way').waitFor();
  });

  test('messages are fetched where nothing live gets through, and the reason is told', async () => {
    await context.route('**/socket.io/**', (route) => route.abort());
    tab = await ConsolePage.open(context, url());
    await tab.pane().waitForState('Fetching');
    await tab.page.getByRole('alert').getByText('Live delivery is not available.').waitFor();
    await sendFromElsewhere(await tab.pane().readKey(), 'By the post');
    await tab.pane().message('By the post').waitFor();
    await tab.pane().send(friend.key, 'Sending works all the same');
  });

  test('a server that restarts, even with another identity, is found again', async () => {
    tab = await ConsolePage.open(context, url());
    await tab.pane().waitForState('Live');
    const key = await tab.pane().readKey();
    await sendFromElsewhere(key, 'Before');
    await tab.pane().message('Before').waitFor();
    const [server] = deployment().processes.apis;
    await server.kill();
    await tab.pane().waitForState('Offline');
    await tab.page.getByRole('alert').getByText('The server can’t be reached.').waitFor();
    const env = { ...deployment().env, SERVER_PRIVATE_KEY: randomBytes(32).toString('hex') };
    await server.restart({ samePort: true, env });
    await tab.pane().waitForState('Live');
    await sendFromElsewhere(key, 'After');
    await tab.pane().message('After').waitFor();
    await tab.pane().send(key, 'And from here');
    await tab.pane().message('And from here').waitFor();
    expect(await tab.pane().message('Before').count()).toBe(1);
  });

  test('a device with a wrong clock is told so, and shows the times of the server', async () => {
    await context.addInitScript(() => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + 3 * 3_600_000 + 1_000;
    });
    tab = await ConsolePage.open(context, url());
    await tab.page.getByText('The clock of this device is 3 hours ahead of the server’s.').waitFor();
    await tab.pane().waitForState('Live');
    const key = await tab.pane().readKey();
    await tab.pane().send(key, 'On time');
    await tab.pane().message('On time').waitFor();
  });

  test('bodies and boxes that look like HTML are text', async () => {
    tab = await ConsolePage.open(context, url());
    await tab.pane().waitForState('Live');
    const key = await tab.pane().readKey();
    const box = '<img src=x onerror=alert(1)>';
    await tab.openBox(box);
    await tab.pane().waitForState('Live');
    const body = '<script>alert(2)</script><b>bold</b> \u001b[31mred\u202e';
    const message = { recipient: key, messageBox: box, messageId: '"><svg onload=alert(3)>', body };
    await friend.post(`${url()}/sendMessage`, { message });
    await tab.pane().message('<script>alert(2)</script><b>bold</b>').locator('.message-open').click();
    await tab.page.getByRole('dialog').getByText('"><svg onload=alert(3)>').waitFor();
    expect(await tab.page.locator('.message-body b, .message-text b, script:not([src]), img, [onload]').count()).toBe(
      0,
    );
  });

  test('a box with 10,000 messages keeps only the visible ones in the page', async () => {
    const folder = createTemporaryFolder();
    const owner = PrivateKey.fromRandom();
    const recipient = owner.toPublicKey().toString();
    const store = openStore({ client: 'better-sqlite3', filename: `${folder.path}/messagebox.sqlite` });
    await store.migrate();
    for (let start = 0; start < 10_000; start += 500) {
      await store.storeMessages(
        Array.from({ length: 500 }, (_message, index) => ({
          messageId: `id-${start + index}`,
          sender: friend.key,
          recipient,
          messageBox: 'inbox',
          body: `Message number ${start + index}.`,
        })),
      );
    }
    await store.close();
    const server = await startService({ name: 'standalone', env: { HOST: '127.0.0.1', DATA_DIR: folder.path } });
    try {
      tab = await ConsolePage.open(context, server.url, '#/identity');
      await tab.page.getByRole('button', { name: 'Import' }).click();
      await tab.page.getByLabel('Private key').fill(owner.toHex().padStart(64, '0'));
      await tab.page.getByRole('dialog').getByRole('button', { name: 'Import' }).click();
      await tab.goTo('Messages');
      await tab.page.getByText('10,000 messages').waitFor({ timeout: 100_000 });
      await tab.pane().message('Message number 9999.').waitFor();
      expect(await tab.page.locator('.message-row').count()).toBeLessThan(60);
      await tab.page.getByRole('region', { name: 'Messages', exact: true }).focus();
      await tab.page.keyboard.press('End');
      await tab.pane().message('Message number 0.').waitFor();
      expect(await tab.page.locator('.message-row').count()).toBeLessThan(60);
    } finally {
      await server.kill();
      folder.remove();
    }
  }, 120_000);
});
