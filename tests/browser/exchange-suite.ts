import type { Browser, BrowserContext } from 'playwright-core';
import { ConsolePage } from './support/console-page.js';

/** What two people in two tabs can do, through any deployment at one address. */
export function exchangeSuite(browser: () => Browser, url: () => string): void {
  let context: BrowserContext;
  /** Two tabs of one browser, with an identity each. */
  let first: ConsolePage;
  let second: ConsolePage;
  let keys: readonly [string, string];

  beforeAll(async () => {
    context = await browser().newContext();
    first = await ConsolePage.open(context, url());
    await first.pane().waitForState('Live');
    const [page] = await Promise.all([
      context.waitForEvent('page'),
      first.page.getByRole('link', { name: 'Open a second tab' }).click(),
    ]);
    second = ConsolePage.adopt(page);
    await second.pane().waitForState('Live');
    keys = [await first.pane().readKey(), await second.pane().readKey()];
  });
  afterAll(() => context?.close());
  afterEach(() => {
    expect([first.errors.splice(0), second.errors.splice(0)]).toEqual([[], []]);
  });

  test('two tabs have identities of their own, and exchange messages live in both directions', async () => {
    expect(keys[0]).not.toBe(keys[1]);

    await first.pane().send(keys[1], 'Good morning');
    await second.pane().message('Good morning').waitFor();
    await second.pane().send(keys[0], 'Good morning to you');
    await first.pane().message('Good morning to you').waitFor();
  });

  test('what was encrypted in one tab is stored encrypted, and decrypted in the other', async () => {
    await first.pane().send(keys[1], 'Only for you');
    await second.pane().message('Only for you').locator('.message-open').click();
    const dialog = second.page.getByRole('dialog', { name: 'Message' });
    await dialog.getByText(/As it is stored/).click();
    const stored = (await dialog.locator('details .message-body').textContent()) ?? '';
    expect(Object.keys(JSON.parse(stored))).toEqual(['encryptedMessage']);
    expect(stored).not.toContain('Only for you');
    await second.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  });

  test('the same text sent twice arrives twice', async () => {
    await first.pane().send(keys[1], 'Ping');
    await second.pane().message('Ping').waitFor();
    await first.pane().send(keys[1], 'Ping');
    await second.pane().message('Ping').nth(1).waitFor();
  });

  test('what is written while a message is sent is kept, and can be sent next', async () => {
    const pane = first.pane();
    await pane.write(keys[1], 'Sent first');
    const written = pane.root.getByLabel('Message', { exact: true });
    // In one go, so that the answer of the server comes later.
    await written.evaluate((element) => {
      const area = element as HTMLTextAreaElement;
      area.form?.requestSubmit();
      area.value = 'Written meanwhile';
      area.dispatchEvent(new Event('input', { bubbles: true }));
    });
    await second.pane().message('Sent first').waitFor();
    await pane.root.getByText(/^Stored by the server at/).waitFor();
    expect(await written.inputValue()).toBe('Written meanwhile');
    await pane.root.getByRole('button', { name: 'Send' }).click();
    await second.pane().message('Written meanwhile').waitFor();
  });

  test('an acknowledged message is gone for good, and others are there when the tab is loaded again', async () => {
    await first.pane().send(keys[1], 'Keep me');
    await first.pane().send(keys[1], 'Delete me');
    await second
      .pane()
      .message('Delete me')
      .getByRole('button', { name: /^Acknowledge/ })
      .click();
    await second.pane().message('Delete me').waitFor({ state: 'detached' });

    await second.page.reload();
    await second.pane().message('Keep me').waitFor();
    expect(await second.pane().readKey()).toBe(keys[1]);
    expect(await second.pane().message('Delete me').count()).toBe(0);

    await second.page.getByRole('button', { name: 'Acknowledge all' }).click();
    await second.page.getByRole('dialog').getByRole('button', { name: 'Acknowledge all' }).click();
    await second.page.getByText('No messages here').waitFor();
  });

  test('a blocked sender is told so, and may write again when the recipient allows it', async () => {
    await second.goTo('Permissions');
    await second.page.getByLabel('Who', { exact: true }).selectOption('sender');
    await second.page.getByLabel('Sender’s key').fill(keys[0]);
    await second.page.getByLabel('May write').selectOption('block');
    await second.page.getByRole('button', { name: 'Save the rule' }).click();
    await second.page.getByRole('table').getByText('not at all').waitFor();

    await first.pane().write(keys[1], 'Let me in');
    await first.page.getByText('The recipient does not take messages from you in this box.').waitFor();
    await first.page.getByRole('button', { name: 'Send' }).click();
    await first.page
      .getByRole('alert')
      .getByText(/Ask them for a permission/)
      .waitFor();

    await second.page.getByRole('button', { name: /^Allow/ }).click();
    await second.page.getByRole('table').getByText('free').waitFor();
    await second.goTo('Messages');
    await first.pane().send(keys[1], 'Thank you');
    await second.pane().message('Thank you').waitFor();
    expect(await second.pane().message('Let me in').count()).toBe(0);
  });

  test('a price is shown before a message is sent, and without a wallet nothing is stored', async () => {
    await first.openBox('payment_inbox');
    await second.goTo('Permissions');
    await second.openBox('payment_inbox');
    await second.page.getByLabel('Who', { exact: true }).selectOption('everybody');
    await second.page.getByLabel('May write').selectOption('price');
    await second.page.getByLabel('Price in satoshis').fill('2500');
    await second.page.getByRole('button', { name: 'Save the rule' }).click();
    await second.page.getByRole('table').getByText('for 2,500 satoshis').waitFor();

    await first.pane().write(keys[1], 'For money');
    await first.page.getByText('Costs 2,500 satoshis: 2,500 for the recipient.').waitFor();
    await first.page.getByRole('button', { name: 'Send' }).click();
    await first.page
      .getByRole('alert')
      .getByText(/Connect a wallet/)
      .waitFor();
    await second.goTo('Messages');
    await second.openBox('payment_inbox');
    await second.page.getByText('No messages here').waitFor();
  });
}
