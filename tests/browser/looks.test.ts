import { statSync } from 'node:fs';
import path from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import type { BrowserContext } from 'playwright-core';
import { deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { findSeriousProblems, measureOverflow } from './support/accessibility.js';
import { ConsolePage } from './support/console-page.js';
import { describeInBrowser } from './support/describe-in-browser.js';

const SIZES = {
  desktop: { width: 1280, height: 860 },
  phone: { width: 360, height: 740 },
} as const;
const DOCUMENT_PICTURES = path.join(__dirname, '../../docs/images');
/** The pictures that documents show. */
const IN_DOCUMENTS = [
  'console-messages-light-desktop.png',
  'console-messages-dark-phone.png',
  'console-permissions-light-desktop.png',
  'console-identity-light-desktop.png',
];
/** Pictures in documents should not weigh more. */
const MAX_PICTURE_BYTES = 150_000;

/**
 * Each page in both themes, on a desktop and on a phone. With CONSOLE_SCREENSHOTS=1 the pictures of the documents are made
 * anew, in docs/images.
 */
describeInBrowser('the looks of the console', (browser) => {
  const deployment = useDeployment(() => deployStandalone());
  const folder = createTemporaryFolder();
  const isForDocuments = (name: string) => Boolean(process.env['CONSOLE_SCREENSHOTS']) && IN_DOCUMENTS.includes(name);
  afterAll(() => folder.remove());

  describe.each(['light', 'dark'] as const)('%s', (theme) => {
    describe.each(['desktop', 'phone'] as const)('on a %s', (device) => {
      let context: BrowserContext;
      let tab: ConsolePage;

      beforeAll(async () => {
        context = await browser().newContext({
          viewport: SIZES[device],
          colorScheme: theme,
          reducedMotion: 'reduce',
          hasTouch: device === 'phone',
        });
        tab = await ConsolePage.open(context, deployment().apis[0]);
        await tab.pane().waitForState('Live');
      });
      afterAll(() => context?.close());
      afterEach(() => expect(tab.errors).toEqual([]));

      /** Takes a picture, and looks for what everybody should be able to use. */
      async function look(name: string): Promise<void> {
        const picture = `console-${name}-${theme}-${device}.png`;
        const file = path.join(isForDocuments(picture) ? DOCUMENT_PICTURES : folder.path, picture);
        await tab.page.screenshot({ path: file });
        expect(statSync(file).size).toBeLessThan(MAX_PICTURE_BYTES);
        expect(await findSeriousProblems(tab.page)).toEqual([]);
        expect(await measureOverflow(tab.page)).toBe(0);
      }

      test('an empty box', async () => {
        await tab.page.getByText('No messages here').waitFor();
        await look('first-visit');
      });

      test('two identities that write to each other, and a message', async () => {
        await tab.page.getByRole('button', { name: 'Two side by side' }).click();
        const [left, right] = [tab.pane('First identity'), tab.pane('Second identity')];
        await right.waitForState('Live');
        const keys = [await left.readKey(), await right.readKey()] as const;
        await left.send(keys[1], 'Shall we meet at the station at nine?');
        await right.send(keys[0], 'Yes, at the north entrance.');
        await left.send(keys[1], 'Good. I bring the tickets.');
        await right.message('I bring the tickets').waitFor();
        await left.message('at the north entrance').waitFor();
        await tab.page.evaluate(() => window.scrollTo(0, 0));
        await look('messages');
        await right.message('at the station').locator('.message-open').click();
        await tab.page.getByRole('dialog', { name: 'Message' }).waitFor();
        await look('message');
        await tab.page.keyboard.press('Escape');
      });

      test('permissions', async () => {
        await tab.goTo('Permissions');
        await tab.page.getByLabel('May write').selectOption('price');
        await tab.page.getByRole('button', { name: 'Save the rule' }).click();
        await tab.page.getByRole('table').getByText('for 100 satoshis').waitFor();
        await tab.page.getByLabel('Who', { exact: true }).selectOption('sender');
        await tab.page.getByRole('button', { name: 'Second identity' }).click();
        await tab.page.getByLabel('May write').selectOption('allow');
        await tab.page.getByRole('button', { name: 'Save the rule' }).click();
        await tab.page.getByRole('table').getByText('free').waitFor();
        await look('permissions');
      });

      test('identities', async () => {
        await tab.goTo('Identity');
        await tab.page.locator('.key-card .qr-code').waitFor();
        await look('identity');
        await tab.page.getByRole('button', { name: 'Export First identity' }).click();
        await look('export');
        await tab.page.keyboard.press('Escape');
      });

      test('the keyboard leads from the first link to every control, with a visible focus', async () => {
        await tab.goTo('Messages');
        await tab.page.reload();
        await tab.pane().waitForState('Live');
        const seen = new Set<string>();
        for (let steps = 0; steps < 60; steps++) {
          await tab.page.keyboard.press('Tab');
          const focused = await tab.page.evaluate(() => {
            const element = document.activeElement;
            if (element === null || element === document.body) return undefined;
            const { outlineStyle, outlineWidth } = getComputedStyle(element);
            const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
            return { name: name || element.tagName, isVisible: outlineStyle !== 'none' && outlineWidth !== '0px' };
          });
          if (focused === undefined) break;
          expect(focused).toEqual({ name: focused.name, isVisible: true });
          seen.add(focused.name);
        }
        for (const name of ['Skip to the content', 'Messages', 'Dark', 'Send', 'Acknowledge all']) {
          expect([...seen]).toContain(name);
        }
      });
    });
  });

  test('the theme that a visitor chooses stays', async () => {
    const context = await browser().newContext({ colorScheme: 'light' });
    const tab = await ConsolePage.open(context, deployment().apis[0]);
    const theme = () => tab.page.evaluate(() => document.documentElement.dataset['theme']);
    expect(await theme()).toBe('light');
    await tab.page.emulateMedia({ colorScheme: 'dark' });
    await tab.page.waitForFunction(() => document.documentElement.dataset['theme'] === 'dark');
    await tab.page.getByRole('button', { name: 'Light' }).click();
    expect(await theme()).toBe('light');
    await tab.page.reload();
    expect(await theme()).toBe('light');
    await context.close();
    expect(tab.errors).toEqual([]);
  });
});
