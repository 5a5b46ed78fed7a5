import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDescriptionRoutes } from '@messagebox/api-description';
import express from 'express';

let server: Server;
let url: string;

beforeAll(async () => {
  const app = express();
  app.use('/api', createDescriptionRoutes({ routingPrefix: '/api' }));
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** A request as it is written: `fetch` adds `Cache-Control: no-cache` to conditional ones, and decompresses. */
async function getPlain(
  path: string,
  headers: Record<string, string>,
): Promise<IncomingMessage & { readonly bytes: Buffer }> {
  const asked = request(`${url}${path}`, { headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Object.assign(response, { bytes: Buffer.concat(chunks) });
}

test.each([
  ['/openapi.json', { openapi: '3.1.0', servers: [{ url: '/api' }] }],
  ['/asyncapi.json', { asyncapi: '3.0.0' }],
])('%s may be cached, and is sent once to who has it', async (path, expected) => {
  const first = await fetch(`${url}${path}`);
  expect(first.status).toBe(200);
  expect(first.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(first.headers.get('cache-control')).toBe('public, max-age=300');
  expect(await first.json()).toMatchObject(expected);
  const etag = first.headers.get('etag') ?? '';
  expect(etag).toMatch(/^"[\w-]{27}"$/);
  const again = await getPlain(path, { 'if-none-match': etag });
  expect([again.statusCode, again.bytes.length]).toEqual([304, 0]);
  const other = await getPlain(path, { 'if-none-match': '"of-an-older-version"' });
  expect(other.statusCode).toBe(200);
});

test('/docs leads to the page, relative to where the browser is', async () => {
  const response = await fetch(`${url}/docs`, { redirect: 'manual' });
  expect([response.status, response.headers.get('location')]).toEqual([308, 'docs/']);
});

test.each(['/docs/', '/docs/live'])(
  '%s loads nothing of other origins and runs no script in the page',
  async (path) => {
    const response = await fetch(`${url}${path}`);
    expect(response.status).toBe(200);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]* src=")|<style|\son\w+=|\sstyle=|https?:\/\//);
    const loaded = [...html.matchAll(/(?:src|href)="([^"#:]+\.(?:js|css))"/g)].map(([, name]) => String(name));
    expect(loaded.length).toBeGreaterThan(0);
    for (const name of loaded) expect([name, (await fetch(`${url}/docs/${name}`)).status]).toEqual([name, 200]);
  },
);

test('a page of the live events has every event, and no HTML of a text', async () => {
  const html = await (await fetch(`${url}/docs/live`)).text();
  for (const name of ['joinRoom', 'sendMessageAck-{roomId}', 'roomRecovered'])
    expect(html).toContain(`<code>${name}</code>`);
  expect(html).toContain('&quot;eventName&quot;');
});

test('files come gzipped, and plain to who does not read gzip', async () => {
  const packed = await getPlain('/docs/swagger-ui.css', { 'accept-encoding': 'gzip' });
  expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(packed.headers['content-type']).toBe('text/css; charset=utf-8');
  const plain = await getPlain('/docs/swagger-ui.css', { 'accept-encoding': 'identity' });
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.bytes.toString()).toContain('.swagger-ui');
  expect(plain.bytes.length).toBeGreaterThan(packed.bytes.length);
});

test.each(['/docs/package.json', '/docs/..%2f..%2fpackage.json', '/docs/LICENSE', '/docs/__proto__'])(
  '%s is no file of the pages',
  async (path) => {
    expect((await fetch(`${url}${path}`)).status).toBe(404);
  },
);
