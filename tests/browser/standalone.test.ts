import { deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { exchangeSuite } from './exchange-suite.js';
import { ConsolePage } from './support/console-page.js';
import { describeInBrowser } from './support/describe-in-browser.js';

describeInBrowser('the console of standalone', (browser) => {
  const deployment = useDeployment(() => deployStandalone());
  const url = () => deployment().apis[0];
  exchangeSuite(browser, url);

  test('two identities side by side in one tab write to each other', async () => {
    const context = await browser().newContext();
    const tab = await ConsolePage.open(context, url());
    await tab.page.getByRole('button', { name: 'Two side by side' }).click();
    const [left, right] = [tab.pane('First identity'), tab.pane('Second identity')];
    await left.waitForState('Live');
    await right.waitForState('Live');
    await left.send(await right.readKey(), 'From the left');
    await right.message('From the left').waitFor();
    await right.send(await left.readKey(), 'From the right');
    await left.message('From the right').waitFor();
    await context.close();
    expect(tab.errors).toEqual([]);
  });

  test('an exported identity can be imported in another browser, where its messages are', async () => {
    const [home, abroad] = [await browser().newContext(), await browser().newContext()];
    const tab = await ConsolePage.open(home, url());
    const key = await tab.pane().readKey();
    await tab.pane().send(key, 'A note to myself');
    await tab.goTo('Identity');
    await tab.page.getByRole('button', { name: 'Export First identity' }).click();
    expect(await tab.page.getByText(/^[0-9a-f]{64}$/).count()).toBe(0);
    await tab.page.getByRole('button', { name: 'Reveal the private key' }).click();
    const secret = (await tab.page.getByText(/^[0-9a-f]{64}$/).textContent()) ?? '';

    const other = await ConsolePage.open(abroad, `${url()}`, '#/identity');
    await other.page.getByRole('button', { name: 'Import' }).click();
    const dialog = other.page.getByRole('dialog', { name: 'Import an identity' });
    // Neither text, nor zero, nor a number above the order of the curve.
    for (const wrong of ['not a key', '0'.repeat(64), 'f'.repeat(64)]) {
      await dialog.getByLabel('Private key').fill(wrong);
      await dialog.getByRole('button', { name: 'Import' }).click();
      await dialog.getByText('This is no private key.').waitFor();
    }
    await dialog.getByLabel('Private key').fill(secret);
    await dialog.getByRole('button', { name: 'Import' }).click();
    await other.goTo('Messages');
    expect(await other.pane().readKey()).toBe(key);
    await other.pane().message('A note to myself').waitFor();
    await Promise.all([home.close(), abroad.close()]);
    expect([...tab.errors, ...other.errors]).toEqual([]);
  });

  test('a visitor without a wallet is told how to get one, and goes on as before', async () => {
    const context = await browser().newContext();
    const tab = await ConsolePage.open(context, url(), '#/identity');
    const key = await tab.page.locator('.key-card code').textContent();
    await tab.page.getByRole('button', { name: 'Connect a wallet' }).click();
    await tab.page.getByText('No wallet answered.').waitFor();
    expect(await tab.page.locator('.key-card code').textContent()).toBe(key);
    await context.close();
  });
});
