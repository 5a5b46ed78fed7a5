import type { BrowserContext, Locator, Page } from 'playwright-core';

/** Long, because many suites share a machine; what is waited for comes within a second or two. */
const TIMEOUT_MS = 30_000;

const EXPECTED = /^Failed to load resource|^WebSocket connection|^\[MB CLIENT ERROR\]/;

/** The console in one tab. */
export class ConsolePage {
  /** Errors of the page's own code, and of its Content-Security-Policy. */
  readonly errors: string[] = [];

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      const text = message.text();
      // The browser and the public client also report answers and connections that fail, which some tests want.
      if (message.type() === 'error' && !EXPECTED.test(text)) this.errors.push(text);
    });
    // One would mean that the text of a message ran as a program.
    page.on('dialog', (dialog) => {
      this.errors.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** Opens the console in a new tab. @param url of the server, without a slash at the end */
  static async open(context: BrowserContext, url: string, hash = ''): Promise<ConsolePage> {
    const opened = new ConsolePage(await context.newPage());
    await opened.page.goto(`${url}/console/${hash}`);
    return opened;
  }

  /** Goes on in a tab that the console has opened. */
  static adopt(page: Page): ConsolePage {
    return new ConsolePage(page);
  }

  /** The identity at work in this tab; `name` where there are two. */
  pane(name?: string): MailboxPane {
    const panes = this.page.locator('.pane');
    return new MailboxPane(name === undefined ? panes.first() : panes.and(this.page.getByRole('region', { name })));
  }

  async goTo(view: string): Promise<void> {
    await this.page.getByRole('navigation').getByRole('link', { name: view }).click();
    await this.page.getByRole('heading', { level: 1, name: view }).waitFor();
  }

  /** Chooses a box of any name. */
  async openBox(name: string): Promise<void> {
    const picker = this.page.getByLabel('Box', { exact: true });
    if (await picker.locator('option', { hasText: name }).count()) {
      await picker.selectOption(name);
      return;
    }
    await picker.selectOption({ label: 'Another box …' });
    await this.page.getByLabel('Name of the box').fill(name);
    await this.page.getByRole('button', { name: 'Open the box' }).click();
  }
}

/** One identity at work. */
export class MailboxPane {
  constructor(readonly root: Locator) {}

  async waitForState(text: 'Live' | 'Fetching' | 'Offline' | 'Connecting …'): Promise<void> {
    await this.root.locator('.connection').getByText(text, { exact: true }).waitFor();
  }

  /** @returns 66 hex characters */
  async readKey(): Promise<string> {
    const key = await this.root.locator('.pane-key code').getAttribute('title');
    if (key === null) throw new Error('the pane shows no key');
    return key;
  }

  async write(recipient: string, text: string): Promise<void> {
    await this.root.getByLabel('To', { exact: true }).fill(recipient);
    await this.root.getByLabel('Message', { exact: true }).fill(text);
  }

  /** Sends a message, and waits until the server has stored it. */
  async send(recipient: string, text: string): Promise<void> {
    await this.write(recipient, text);
    await this.root.getByRole('button', { name: 'Send' }).click();
    await this.root.getByText(/^Stored by the server at/).waitFor();
  }

  /** The row of a message by its text. */
  message(text: string): Locator {
    return this.root
      .locator('.message-row')
      .filter({ has: this.root.page().locator('.message-text', { hasText: text }) });
  }
}
