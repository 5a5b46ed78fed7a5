import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { type MessageBoxServer, startMessageBox } from 'messagebox';
import type { Page } from 'playwright-core';
import { describeInBrowser } from '../browser/support/describe-in-browser.ts';
import { exampleFolder, startExample } from './support/example.ts';

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Serves the files of a folder, as any static host does. */
async function serveFiles(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://files');
    const file = join(folder, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describeInBrowser('examples/browser-chat', (browser) => {
  let messages: MessageBoxServer;
  let files: Server;
  const built = createTemporaryFolder();

  beforeAll(async () => {
    const vite = join(exampleFolder('browser-chat'), 'node_modules/vite/bin/vite.js');
    const build = startExample('browser-chat', [vite, 'build', '--outDir', built.path, '--emptyOutDir']);
    const { code } = await build.closed;
    if (code !== 0) throw new Error(build.lines.join('\n'));
    files = await serveFiles(built.path);
    messages = await startMessageBox();
  }, 120_000);

  afterAll(async () => {
    await messages?.close();
    files?.closeAllConnections();
    files?.close();
    built.remove();
  });

  async function openChat(): Promise<{ page: Page; key: string; errors: string[] }> {
    const context = await browser().newContext();
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`http://127.0.0.1:${(files.address() as AddressInfo).port}/?server=${messages.url}`);
    await page.getByRole('status').filter({ hasText: 'Connected' }).waitFor();
    return { page, key: (await page.locator('#own-key').textContent()) ?? '', errors };
  }

  async function write(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message').fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  }

  const line = (page: Page, text: string) => page.getByRole('listitem').filter({ hasText: text });

  test('a line arrives live, and so does the answer to it', async () => {
    const [alice, bob] = [await openChat(), await openChat()];
    await alice.page.getByLabel('To').fill(bob.key);
    await write(alice.page, 'Hello Bob <b>& all</b>');
    await line(bob.page, 'Hello Bob <b>& all</b>').waitFor();
    // The key of the sender is filled in, so Bob can answer at once.
    await write(bob.page, 'Hello Alice');
    await line(alice.page, 'Hello Alice').waitFor();
    expect(await bob.page.locator('#lines b').count()).toBe(0);
    expect([...alice.errors, ...bob.errors]).toEqual([]);
    await Promise.all([alice, bob].map(({ page }) => page.context().close()));
  });

  test('a line that was sent while the page was closed is shown when it opens', async () => {
    const [alice, bob] = [await openChat(), await openChat()];
    const address = bob.page.url();
    await bob.page.goto('about:blank');
    await alice.page.getByLabel('To').fill(bob.key);
    await write(alice.page, 'Are you there?');
    await alice.page.getByRole('status').filter({ hasText: 'Sent' }).waitFor();
    await bob.page.goto(address);
    await line(bob.page, 'Are you there?').waitFor();
    await Promise.all([alice, bob].map(({ page }) => page.context().close()));
  });
});
