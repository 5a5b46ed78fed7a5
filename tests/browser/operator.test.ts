import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PrivateKey } from '@bsv/sdk';
import type { BrowserContext, BrowserContextOptions } from 'playwright-core';
import { deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { createPeople } from '../acceptance/people.js';
import { findSeriousProblems } from './support/accessibility.js';
import { ConsolePage } from './support/console-page.js';
import { describeInBrowser } from './support/describe-in-browser.js';

/** Where pictures go when somebody wants to look at them. */
const PICTURES = process.env['CONSOLE_PICTURES'];

const PAGES: readonly [path: string, heading: string][] = [
  ['overview', 'Instances'],
  ['largest', 'Largest boxes'],
  ['identities', 'Boxes'],
  ['fees', 'Delivery fees'],
  ['jobs', 'Jobs of the overlay'],
  ['advertisements', 'Advertisements of this host'],
  ['configuration', 'Configuration'],
  ['audit', 'What operators did'],
];
const DESKTOP: BrowserContextOptions = { viewport: { width: 1_280, height: 900 } };
const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

describeInBrowser('the operators’ part of the console', (browser) => {
  const operator = PrivateKey.fromRandom();
  const operatorKey = operator.toPublicKey().toString();
  const deployment = useDeployment(() => deployStandalone({ ADMIN_IDENTITY_KEYS: operatorKey }));
  const someone = createPeople();
  const url = () => deployment().apis[0];
  let context: BrowserContext | undefined;
  let opened: ConsolePage | undefined;
  afterEach(async () => {
    await context?.close();
    context = undefined;
    expect(opened?.errors ?? []).toEqual([]);
  });

  /** Opens a page of the console in a browser of the operator, or of a newcomer. */
  async function open(
    hash: string,
    settings: BrowserContextOptions,
    { isOperator = true, ownsClock = false } = {},
  ): Promise<ConsolePage> {
    context = await browser().newContext(settings);
    if (ownsClock) await context.clock.install();
    if (isOperator) {
      const kept = {
        privateKey: operator.toHex(),
        identityKey: operatorKey,
        name: 'Operator',
        createdAt: new Date().toISOString(),
      };
      const text = JSON.stringify(JSON.stringify([kept]));
      await context.addInitScript({ content: `localStorage.setItem('messagebox.identities', ${text})` });
    }
    opened = await ConsolePage.open(context, url(), hash);
    return opened;
  }

  /** Messages of one sender in some boxes. @returns the keys of both */
  async function sendSome(): Promise<{ recipient: string; sender: string; listIds: () => Promise<string[]> }> {
    const [alice, bob] = [someone(), someone()];
    for (const [messageBox, size] of [
      ['inbox', 4_000],
      ['inbox', 700],
      ['<img src=x onerror=alert(1)>', 90],
    ] as const) {
      const message = { recipient: bob.key, messageBox, messageId: randomUUID(), body: 'x'.repeat(size) };
      expect(await alice.send(url(), message)).toMatchObject({ status: 200 });
    }
    return { recipient: bob.key, sender: alice.key, listIds: () => bob.listIds(url(), 'inbox') };
  }

  test('who is no operator is told how to become one, and shown nothing', async () => {
    const { page } = await open('#/operator/audit', DESKTOP, { isOperator: false });
    await page.getByRole('heading', { name: 'These pages are for those who run this server' }).waitFor();
    const own = await page.locator('.operator-gate .key code').textContent();
    expect(own).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(await page.locator('.operator-gate .block-code').textContent()).toBe(`ADMIN_IDENTITY_KEYS=${own}`);
    expect(await page.getByRole('navigation', { name: 'Operator' }).count()).toBe(0);
    expect(await page.locator('table').count()).toBe(0);
    expect(await findSeriousProblems(page)).toEqual([]);
  });

  test('the overview shows the instance that runs, and graphs that follow what happens', async () => {
    const { recipient } = await sendSome();
    const { page } = await open('#/operator', DESKTOP);
    const row = page.getByRole('row', { name: /standalone/ });
    await row.getByText('ready', { exact: true }).waitFor();
    for (const title of ['Messages per second', 'Live delivery, 95 % below', 'Sockets', 'Bytes of messages']) {
      await page.getByRole('region', { name: title }).waitFor();
    }
    // Two entries of the history make a line.
    await page.locator('section[aria-label="Sockets"] .chart-line[d*=" L"]').waitFor({ state: 'attached' });
    expect(await page.content()).not.toContain(recipient);
  });

  test('an operator finds the largest box, purges it, blocks its owner and lets it in again', async () => {
    const { recipient, sender, listIds } = await sendSome();
    // After a purge, of nothing here, the next look counts anew.
    await someone(operator).post(`${url()}/admin/identities/${sender}/purge`, {});
    const { page } = await open('#/operator/largest', DESKTOP);
    await page.getByRole('table', { name: 'Largest boxes' }).locator(`a[href$="${recipient}"]`).first().click();
    await page.getByRole('row', { name: /^inbox/ }).waitFor();
    // The name of a box is text, whatever it looks like.
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();

    await page.getByRole('button', { name: 'Purge the box inbox' }).click();
    const purge = page.getByRole('dialog', { name: 'Purge the box “inbox”?' });
    await purge.getByText('Nobody can bring them back', { exact: false }).waitFor();
    await purge.getByRole('button', { name: 'Cancel' }).click();
    expect(await listIds()).toHaveLength(2);
    await page.getByRole('button', { name: 'Purge the box inbox' }).click();
    await purge.getByRole('button', { name: 'Remove 2 messages' }).click();
    await page.getByText('2 messages were removed.').waitFor();
    expect(await listIds()).toEqual([]);

    await page.getByRole('button', { name: 'Block …' }).click();
    const block = page.getByRole('dialog', { name: 'Block this identity?' });
    await block.getByLabel('Reason').fill('floods <others>');
    expect(await findSeriousProblems(page)).toEqual([]);
    await block.getByRole('button', { name: 'Block', exact: true }).click();
    await page.getByText('floods <others>').first().waitFor();
    await page.getByText('blocked', { exact: true }).waitFor();
    await expect(listIds()).rejects.toThrow('ERR_IDENTITY_BLOCKED');

    await page.getByRole('button', { name: 'Unblock …' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Unblock', exact: true }).click();
    await page.getByText('not blocked', { exact: true }).waitFor();
    expect(await listIds()).toEqual([]);

    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByRole('cell', { name: 'unblock' }).first().waitFor();
    await page.getByRole('cell', { name: 'reason: floods <others>' }).first().waitFor();
  });

  test('an operator sets a fee', async () => {
    const { page } = await open('#/operator/fees', DESKTOP);
    const form = page.getByRole('form', { name: 'Set a fee' });
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('Give the name of a box.').waitFor();
    await form.getByLabel('Box').fill('alerts');
    await form.getByLabel('Satoshis for each delivery').fill('12');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /^alerts 12/ }).waitFor();
    expect((await someone(operator).get(`${url()}/admin/fees`)).body['fees']).toContainEqual(
      expect.objectContaining({ messageBox: 'alerts', deliveryFee: 12 }),
    );
  });

  test('the configuration can be searched, and shows no secret', async () => {
    const { page } = await open('#/operator/configuration', DESKTOP);
    await page.getByLabel('Find a variable').fill('admin_');
    await page
      .getByRole('row', { name: /ADMIN_IDENTITY_KEYS/ })
      .getByText(operatorKey)
      .waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    await page.getByLabel('Find a variable').fill('MIGRATE_KEY');
    await page.getByRole('row', { name: /^MIGRATE_KEY not set/ }).waitFor();
  });

  test('nothing is asked while the page is hidden', async () => {
    const { page } = await open('#/operator', DESKTOP, { ownsClock: true });
    await page.getByRole('region', { name: 'Sockets' }).waitFor();
    const setHidden = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'));`);
    await setHidden(true);
    // What was begun before may still be under way.
    await page.waitForLoadState('networkidle');
    let asked = 0;
    page.on('request', () => {
      asked += 1;
    });
    await page.clock.runFor(60_000);
    expect(asked).toBe(0);
    const request = page.waitForRequest(/\/admin\/stats$/);
    await setHidden(false);
    await request;
  });

  const variants = (['light', 'dark'] as const).flatMap((scheme) => [
    [`${scheme} desktop`, { ...DESKTOP, colorScheme: scheme }] as const,
    [`${scheme} phone`, { ...PHONE, colorScheme: scheme }] as const,
  ]);
  test.each(variants)('every page is accessible and fits the screen: %s', async (name, settings) => {
    const { recipient } = await sendSome();
    const { page } = await open('#/operator', settings);
    for (const [path, heading] of PAGES) {
      const more = path === 'identities' ? `/${recipient}` : '';
      await page.evaluate(`location.hash = '#/operator/${path}${more}'`);
      await page.getByRole('heading', { name: heading, exact: true }).first().waitFor();
      await page.waitForLoadState('networkidle');
      if (PICTURES !== undefined) {
        mkdirSync(PICTURES, { recursive: true });
        await page.screenshot({ path: join(PICTURES, `${name.replace(' ', '-')}-${path}.png`), fullPage: true });
      }
      expect({ path, obstacles: await findSeriousProblems(page) }).toEqual({ path, obstacles: [] });
      const overflow: unknown = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect({ path, overflow }).toEqual({ path, overflow: 0 });
    }
  });
});
