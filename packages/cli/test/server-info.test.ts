import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describeServerInfo, fetchServerInfo } from '../src/client/server-info.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A server that answers every request with this. @returns its URL, with a path prefix */
async function serve(status: number, body: string): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/api/info' ? status : 500).end(body);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
}

test('asks below the path prefix, with or without a slash at its end', async () => {
  const url = await serve(200, '{"product":"MessageBox","version":"9"}');
  expect(await fetchServerInfo(url, 5_000)).toMatchObject({ version: '9' });
  expect(await fetchServerInfo(`${url}/`, 5_000)).toMatchObject({ version: '9' });
});

test.each([
  [401, '{"status":"error","code":"UNAUTHORIZED"}'],
  [404, '<html>'],
  [200, 'null'],
  [200, '{"product":"something else"}'],
])('a server without it is no error: %i %s', async (status, body) => {
  expect(await fetchServerInfo(await serve(status, body), 5_000)).toBeUndefined();
});

test('a server that is not there is no error', async () => {
  const url = await serve(200, '{}');
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  expect(await fetchServerInfo(url, 5_000)).toBeUndefined();
});

test('leaves out what the server does not say, and what has another form', () => {
  const given = (info: unknown) =>
    Object.fromEntries(Object.entries(describeServerInfo(info)).filter(([, value]) => value !== undefined));
  expect(given(undefined)).toEqual({});
  expect(given({ limits: 'many', fees: { delivery: [] }, push: { boxes: 7, fcm: true } })).toEqual({
    'delivery fees': 'none',
  });
  expect(
    given({
      limits: { retentionDays: 30, quotas: { inbox: { messages: null, bytes: 1_000 } } },
      push: { boxes: ['notifications', 'payment_inbox'], fcm: true },
      websockets: { enabled: false, path: '/socket.io/' },
    }),
  ).toEqual({ retention: '30 days', inbox: '1,000 bytes', pushed: 'notifications, payment_inbox' });
});
