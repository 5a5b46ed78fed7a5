import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAuthMiddleware } from '@bsv/auth-express-middleware';
import express from 'express';
import { SessionTable, StrictFetch, type StrictFetchOptions, UnsignedAnswerError } from '../src/index.js';
import { HttpServer, type StubAnswer } from './support/http-server.js';
import { createParty } from './support/wallets.js';

describe('signed requests', () => {
  const MINUTE = 60_000;
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  async function world(options: Partial<StrictFetchOptions> = {}) {
    const server = new HttpServer();
    opened.push(server);
    const url = await server.open();
    const client = new StrictFetch({ wallet: createParty().wallet, ...options });
    const ask = (answer: StubAnswer = {}) => {
      server.respond = () => answer;
      return client.fetch(`${url}/listMessages?box=a`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json; charset=utf-8' },
        body: '{"messageBox":"inbox"}',
      });
    };
    return { server, url, client, ask };
  }

  test('are accepted by the published middleware, and its responses are accepted', async () => {
    const app = express();
    app.use(express.json());
    app.use(createAuthMiddleware({ wallet: createParty().wallet }));
    app.post(
      '/echo',
      (request, response) => void response.json({ echo: request.body as unknown, query: request.query }),
    );
    app.get('/plain', (_request, response) => void response.json({ plain: true }));
    const http = app.listen(0, '127.0.0.1');
    opened.push({ close: () => http.closeAllConnections() }, http);
    await once(http, 'listening');
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const client = new StrictFetch({ wallet: createParty().wallet });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await client.fetch(`${url}/echo?a=1`, { method: 'POST', headers, body: '{"text":"grün"}' });
    expect(await answer.json()).toEqual({ echo: { text: 'grün' }, query: { a: '1' } });
    expect(await (await client.fetch(`${url}/plain`)).json()).toEqual({ plain: true });
    expect(client.handshakesBegun).toBe(1);
  });

  test('return only the signed parts of the response', async () => {
    const { ask, server } = await world();
    const headers = { 'x-bsv-more': 'signed', 'x-other': 'unsigned' };
    const answer = await ask({ status: 418, body: '{"a":1}', headers });
    expect([answer.status, await answer.json()]).toEqual([418, { a: 1 }]);
    expect([...answer.headers.keys()].sort()).toEqual(['x-bsv-auth-identity-key', 'x-bsv-more']);
    expect(answer.headers.get('x-bsv-auth-identity-key')).toBe(server.stub.party.key);
  });

  test.each([
    ['another version', { version: '0.2' }, '9.1'],
    ['another identity', { 'identity-key': createParty().key }, '2'],
    ['a nonce of 48 bytes', { nonce: Buffer.alloc(48).toString('base64') }, '9.1'],
    ['no nonce', { nonce: undefined }, '9.1'],
    ['a session nonce that the client has never made', { 'your-nonce': Buffer.alloc(48).toString('base64') }, '2'],
    ['a wrong signature', { signature: '3006020101020101' }, '2'],
    ['a signature that is not hexadecimal', { signature: 'xyz' }, '3'],
    ['the id of another request', { 'request-id': Buffer.alloc(32).toString('base64') }, '3'],
    ['no request id', { 'request-id': undefined }, '3'],
  ])('fail by its rule at a response with %s', async (_what, auth, rule) => {
    const { ask } = await world();
    await expect(ask({ auth })).rejects.toMatchObject({ rule });
    expect((await ask()).status).toBe(200);
  });

  test('fail at an empty response, which not all clients verify alike', async () => {
    const { ask } = await world();
    await expect(ask({ body: '' })).rejects.toMatchObject({ rule: '3' });
  });

  test('accept a response up to their limit, and fail by rule 9.3 at a larger one', async () => {
    const { ask } = await world({ maxAnswerBytes: 1_000 });
    expect((await ask({ body: 'x'.repeat(1_000) })).status).toBe(200);
    await expect(ask({ body: 'x'.repeat(1_001) })).rejects.toMatchObject({ rule: '9.3' });
    await expect(ask({ body: 'x'.repeat(1_001), headers: { 'transfer-encoding': 'chunked' } })).rejects.toMatchObject({
      rule: '9.3',
    });
  });

  test('fail by rule 9.3 at a response that takes too long', async () => {
    const { server, client, url } = await world({ timeoutMs: 50 });
    server.respond = () => new Promise(() => {});
    await expect(client.fetch(`${url}/slow`)).rejects.toMatchObject({ rule: '9.3' });
  });

  test('fail at a response without a signature', async () => {
    const { ask } = await world();
    const refusal = { status: 429, body: 'too many', unsigned: true };
    await expect(ask(refusal)).rejects.toBeInstanceOf(UnsignedAnswerError);
    await expect(ask(refusal)).rejects.toMatchObject({ status: 429, body: 'too many' });
  });

  test('repeat the handshake after an unsigned 401, at most three times', async () => {
    const { ask, server, client, url } = await world();
    await ask();
    const lost = { status: 401, body: '{"description":"Session not found for nonce"}', unsigned: true };
    let left = 3;
    server.respond = () => (left-- > 0 ? lost : {});
    expect((await client.fetch(`${url}/x`)).status).toBe(200);
    expect([server.handshakes, server.requests]).toEqual([4, 5]);
    server.respond = () => lost;
    await expect(client.fetch(`${url}/x`)).rejects.toMatchObject({ rule: '9.18' });
    expect([server.handshakes, server.requests]).toEqual([7, 9]);
  });

  test('begin a new session after 30 idle minutes', async () => {
    let now = 1_000 * MINUTE;
    const { ask, server } = await world({ sessions: new SessionTable(() => now) });
    await ask();
    now += 29 * MINUTE;
    await ask();
    expect(server.handshakes).toBe(1);
    now += 30 * MINUTE;
    await ask();
    expect(server.handshakes).toBe(2);
  });

  test('are not made when current clients would not make them', async () => {
    const { client, url } = await world();
    await expect(client.fetch(`${url}/x`, { headers: { accept: 'text/plain' } })).rejects.toThrow(TypeError);
    await expect(client.fetch(`${url}/x`, { headers: { 'x-bsv-auth-nonce': 'x' } })).rejects.toThrow(TypeError);
    await expect(client.fetch(`${url}/x?${'y'.repeat(8_192)}`)).rejects.toThrow(TypeError);
  });
});
