import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createConsoleRoutes } from '@messagebox/console';
import express from 'express';

describe.each([
  ['at the root', '/', ''],
  ['below a prefix', '/some/prefix', '/some/prefix'],
])('the console %s', (_where, mountedAt, prefix) => {
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    const app = express();
    app.use(mountedAt, createConsoleRoutes());
    app.use((_request, response) => {
      response.status(418).send('next');
    });
    server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  const get = (path: string, init?: RequestInit) => fetch(`${origin}${prefix}${path}`, { redirect: 'manual', ...init });

  test('its address without a slash leads to the one with a slash, as a relative address', async () => {
    const answer = await get('/console');
    expect(answer.status).toBe(308);
    expect(new URL(answer.headers.get('location') ?? '', answer.url).pathname).toBe(`${prefix}/console/`);
  });

  test('serves the page with a policy that allows nothing from elsewhere', async () => {
    const answer = await get('/console/');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).toContain(`ws://${new URL(origin).host}`);
    expect(policy).not.toMatch(/unsafe|\*|data:/);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  test('names its files relative to the page, and serves them for a year', async () => {
    const page = await (await get('/console/')).text();
    const [, script = ''] = /src="(\.\/assets\/[^"]+\.js)"/.exec(page) ?? [];
    const answer = await get(`/console/${script.slice(2)}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(page).not.toMatch(/(?:src|href)="(?:\/|https?:)/);
  });

  test('sends what was compressed to a browser that reads it', async () => {
    const page = await (await get('/console/')).text();
    const [, script = ''] = /src="\.\/(assets\/[^"]+\.js)"/.exec(page) ?? [];
    const sizes: Record<string, number> = {};
    for (const encoding of ['br', 'gzip', 'identity']) {
      const answer = await get(`/console/${script}`, { method: 'HEAD', headers: { 'accept-encoding': encoding } });
      expect(answer.headers.get('content-encoding') ?? 'identity').toBe(encoding);
      sizes[encoding] = Number(answer.headers.get('content-length'));
    }
    expect(sizes['br']).toBeLessThan(sizes['gzip'] ?? 0);
    expect(sizes['gzip']).toBeLessThan(sizes['identity'] ?? 0);
  });

  test('says that the page is unchanged when the browser has it', async () => {
    const etag = (await get('/console/')).headers.get('etag') ?? '';
    const answer = await get('/console/', { headers: { 'if-none-match': etag } });
    expect(answer.status).toBe(304);
    expect(await answer.text()).toBe('');
  });

  test.each(['/console/nothing.js', '/console/..%2f..%2fpackage.json', '/console/manifest.json', '/console/%E0%A4%A'])(
    'has nothing at %s',
    async (path) => {
      const answer = await get(path);
      expect([400, 404]).toContain(answer.status);
      expect(await answer.text()).not.toContain('"dependencies"');
    },
  );

  test.each(['POST', 'PUT', 'DELETE'])('leaves a %s to the next handler', async (method) => {
    expect((await get('/console/', { method })).status).toBe(418);
  });

  test('leaves other paths to the next handler', async () => {
    expect((await get('/consoles')).status).toBe(418);
    expect((await get('/Console/')).status).toBe(418);
  });
});
