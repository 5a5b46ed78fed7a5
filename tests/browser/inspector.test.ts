import type { BrowserContext, Locator, Page } from 'playwright-core';
import { deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { findSeriousProblems, measureOverflow } from './support/accessibility.js';
import { ConsolePage } from './support/console-page.js';
import { describeInBrowser } from './support/describe-in-browser.js';

type Filter = 'All' | 'HTTP' | 'Handshake' | 'Live';

/** The inspector in a tab. */
class InspectorPage {
  readonly list: Locator;
  readonly detail: Locator;

  constructor(readonly page: Page) {
    this.list = page.getByRole('region', { name: 'Traffic' });
    this.detail = page.getByRole('region', { name: 'Details' });
  }

  /** The rows of records whose path or event has this text. */
  rows(subject: string): Locator {
    return this.list.locator('.record').filter({ has: this.page.locator('.record-subject', { hasText: subject }) });
  }

  async filter(filter: Filter): Promise<void> {
    await this.list.getByRole('button', { name: filter, exact: true }).click();
  }

  /** Opens the newest record whose path or event has this text. */
  async open(filter: Filter, subject: string): Promise<void> {
    await this.filter(filter);
    await this.rows(subject).first().click();
    await this.detail.locator('.step').first().waitFor();
  }

  /** Opens one of the tabs of the details. */
  async openTab(name: 'Bytes' | 'Raw' | 'Steps'): Promise<void> {
    await this.detail.getByRole('tab', { name }).click();
  }

  /** The titles of the steps with this verdict. */
  steps(verdict: 'Failed' | 'Verified'): Promise<string[]> {
    const marked = this.detail.locator('.step').filter({ has: this.page.locator('.step-mark', { hasText: verdict }) });
    return marked.locator('h3').allTextContents();
  }

  /** The value of a fact. */
  fact(label: string): Promise<string | null> {
    return this.detail.locator('.step-fact').filter({ hasText: label }).locator('dd code').first().textContent();
  }
}

describeInBrowser('the inspector', (browser) => {
  const deployment = useDeployment(() => deployStandalone());
  let context: BrowserContext | undefined;
  let opened: ConsolePage[];

  beforeEach(() => {
    opened = [];
  });
  afterEach(async () => {
    await context?.close();
    expect(opened.flatMap(({ errors }) => errors)).toEqual([]);
  });

  async function openConsole(settings: Parameters<ReturnType<typeof browser>['newContext']>[0] = {}) {
    context = await browser().newContext(settings);
    const tab = await ConsolePage.open(context, deployment().apis[0]);
    opened.push(tab);
    return tab;
  }

  /** Sends a message to oneself, so that it is sent and received in one tab, and opens the inspector. */
  async function inspectMessage(text: string, settings = {}): Promise<InspectorPage> {
    const tab = await openConsole(settings);
    await tab.pane().waitForState('Live');
    const key = await tab.pane().readKey();
    await tab.pane().write(key, text);
    // The price is asked for when the visitor pauses, so a quick one sends before.
    await tab.pane().root.getByText('Free of charge.').waitFor();
    await tab.pane().send(key, text);
    await tab.pane().message(text).waitFor();
    await tab.goTo('Inspector');
    return new InspectorPage(tab.page);
  }

  test('every signature of the handshakes, requests and events of a message is shown as verified', async () => {
    const inspector = await inspectMessage('Good morning');

    await inspector.open('Handshake', '/.well-known/auth');
    expect(await inspector.steps('Verified')).toEqual([
      'Your client makes a session nonce',
      'The message belongs to your session',
      'The server’s signature is verified',
    ]);
    await inspector.open('Handshake', 'initialResponse');
    expect(await inspector.steps('Verified')).toContain('The server’s signature is verified');

    await inspector.open('HTTP', '/listMessages');
    expect(await inspector.steps('Verified')).toEqual(
      expect.arrayContaining(['Your wallet signs', 'The server answers', 'The server’s signature is verified']),
    );
    for (const event of ['authenticated', 'joinRoom']) {
      await inspector.open('Live', event);
      expect(await inspector.steps('Verified')).toEqual(['Your wallet signs']);
    }
    await inspector.open('Live', 'sendMessage-');
    expect(await inspector.steps('Verified')).toEqual(
      expect.arrayContaining(['The message belongs to your session', 'The server’s signature is verified']),
    );

    await inspector.filter('All');
    const badges = await inspector.list.locator('.badge').allTextContents();
    expect(new Set(badges)).toEqual(new Set(['Verified', 'Signed', 'Not signed']));
  });

  test('a body is shown as ciphertext, and its plain text as text, whatever it looks like', async () => {
    const text = '<img src=x onerror=alert(1)>\u202e\u001b[31m';
    const inspector = await inspectMessage(text);
    await inspector.open('Live', 'sendMessage-');
    expect(await inspector.fact('Decrypted')).toBe(text);
    expect(await inspector.detail.locator('img').count()).toBe(0);
    await inspector.openTab('Raw');
    await inspector.openTab('Bytes');
    const encrypted = inspector.detail.getByRole('region', { name: 'Encrypted body', exact: true });
    expect(await encrypted.locator('.hex-label').allTextContents()).toEqual([
      'initialisation vector',
      'ciphertext',
      'authentication tag',
    ]);
  });

  test('the bytes of a request have the names of their parts, in words and in colours', async () => {
    const inspector = await inspectMessage('Good morning');
    await inspector.open('HTTP', '/permissions/quote');
    await inspector.openTab('Bytes');
    const request = inspector.detail.getByRole('region', { name: 'Signed: the request', exact: true });
    expect(await request.locator('.hex-label').allTextContents()).toEqual([
      'request id',
      'length of the method',
      'method',
      'length of the path',
      'path',
      'length of the search',
      'search',
      'number of signed headers',
      'length of the body',
    ]);
    await request.getByRole('button', { name: /^path/ }).click();
    const chosen = await request.locator('.hex-ascii [data-chosen=true]').allTextContents();
    expect(chosen.join('')).toBe('/permissions/quote');
    const colours: string[] = await inspector.page.evaluate(
      `Array.from(document.querySelectorAll('[aria-label="Signed: the request"] .hex-swatch'), (swatch) => getComputedStyle(swatch).backgroundColor)`,
    );
    expect(new Set(colours).size).toBe(5);
  });

  test('an answer that was changed on its way is shown as failed', async () => {
    context = await browser().newContext();
    await context.route('**/listMessages', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('success', 'Success') });
    });
    const tab = await ConsolePage.open(context, deployment().apis[0]);
    opened.push(tab);
    await tab.pane().waitForState('Live');
    await tab.goTo('Inspector');
    const inspector = new InspectorPage(tab.page);
    await inspector.rows('/listMessages').first().locator('.badge', { hasText: 'Failed' }).waitFor();
    await inspector.open('HTTP', '/listMessages');
    expect(await inspector.steps('Failed')).toEqual(['The server’s signature is verified']);
    expect(await inspector.steps('Verified')).toContain('Your wallet signs');
  });

  test('a visitor filters, searches, pauses and clears', async () => {
    const inspector = await inspectMessage('Good morning');
    await inspector.filter('Handshake');
    await inspector.rows('/.well-known/auth').first().waitFor();
    expect(await inspector.rows('/listMessages').count()).toBe(0);
    await inspector.filter('All');
    await inspector.list.getByLabel('Search by path or event').fill('LISTMESS');
    await inspector.rows('/listMessages').first().waitFor();
    expect(await inspector.rows('joinRoom').count()).toBe(0);
    await inspector.list.getByLabel('Search by path or event').fill('no such event');
    await inspector.list.getByText('Nothing matches').waitFor();
    await inspector.list.getByLabel('Search by path or event').fill('');
    await inspector.list.getByLabel(/Show packets of the transport/).check();
    await inspector.rows('upgrade').first().waitFor();

    await inspector.page.getByRole('button', { name: 'Pause' }).click();
    await inspector.list.getByText('Paused: new traffic is not recorded.').waitFor();
    await inspector.page.getByRole('button', { name: 'Clear' }).click();
    await inspector.list.getByText('No traffic yet').waitFor();
    const tab = opened[0] as ConsolePage;
    await tab.goTo('Messages');
    await tab.pane().waitForState('Live');
    await tab.goTo('Inspector');
    await inspector.list.getByText('No traffic yet').waitFor();
  });

  test('the tabs of the details can be used with the keyboard', async () => {
    const inspector = await inspectMessage('Good morning');
    await inspector.open('HTTP', '/listMessages');
    await inspector.detail.getByRole('tab', { name: 'Steps' }).focus();
    await inspector.page.keyboard.press('ArrowRight');
    await inspector.detail.getByRole('tab', { name: 'Raw', selected: true }).waitFor();
    await inspector.detail.getByText(/^POST \/listMessages/).waitFor();
    await inspector.page.keyboard.press('End');
    await inspector.detail.getByRole('tab', { name: 'Bytes', selected: true }).waitFor();
  });

  test.each([
    ['light', 'a desktop', 1280],
    ['dark', 'a desktop', 1280],
    ['light', 'a phone', 360],
    ['dark', 'a phone', 360],
  ] as const)('axe finds nothing serious in the %s theme on %s', async (colorScheme, _device, width) => {
    const inspector = await inspectMessage('Good morning', { colorScheme, viewport: { width, height: 800 } });
    expect(await findSeriousProblems(inspector.page)).toEqual([]);
    await inspector.open('Live', 'sendMessage-');
    for (const tab of ['Steps', 'Raw', 'Bytes'] as const) {
      await inspector.openTab(tab);
      expect([tab, await findSeriousProblems(inspector.page), await measureOverflow(inspector.page)]).toEqual([
        tab,
        [],
        0,
      ]);
    }
  });
});
