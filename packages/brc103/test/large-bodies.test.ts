import { AuthFetch, CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import type { WorkSchedule } from '../src/http/middleware.js';
import { startApp, type TestApp } from './support/test-app.js';

/** Large bodies and answers are worked on in pieces, and other clients are served in between. */
const BYTES = 3_000_000;
const TEXT = 'x'.repeat(BYTES);

/** Runs what it is given, unless it is told otherwise, and counts. */
class Turns implements WorkSchedule {
  pieces = 0;
  portions = 0;
  decide: (path: string, isPortion: boolean) => Promise<void> = async () => {};

  async run<T>({ path }: { readonly path: string }, _key: string | undefined, work: () => T, alsoMs = 0): Promise<T> {
    this.pieces += 1;
    if (alsoMs > 0) this.portions += 1;
    await this.decide(path, alsoMs > 0);
    return work();
  }

  noteProven(): void {}
  charge(): void {}
}

let turns: Turns;
let app: TestApp;
beforeEach(async () => {
  turns = new Turns();
  app = await startApp(
    (routes) => {
      routes.post('/size', (request, response) => void response.json({ bytes: request.auth?.rawBody.length }));
      routes.get('/large', (_request, response) => void response.type('text').send(TEXT));
      routes.get('/small', (_request, response) => void response.json({}));
    },
    { schedule: turns, maxBodyBytes: BYTES },
  );
});
afterEach(() => app.close());

const newClient = () => new AuthFetch(new CompletedProtoWallet(PrivateKey.fromRandom()));
const upload = (client: AuthFetch, body = TEXT) =>
  client.fetch(`${app.url}/size`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body });

test('a large body is read in portions and hashed in pieces', async () => {
  const response = await upload(newClient());
  expect(await response.json()).toEqual({ bytes: BYTES });
  expect(turns.portions).toBeGreaterThan(3);
  const { pieces } = turns;
  await upload(newClient(), 'small');
  expect(turns.pieces - pieces).toBeLessThan(pieces / 2);
});

test('while a large body waits for its turn, another client is served', async () => {
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    turns.decide = async (path, isPortion) => {
      if (path !== '/size' || !isPortion) return;
      resolve();
      await new Promise<void>((open) => {
        goOn = open;
      });
    };
  });
  const response = upload(newClient());
  await held;
  expect((await newClient().fetch(`${app.url}/small`)).status).toBe(200);
  expect(app.handled).toEqual(['GET /small']);
  turns.decide = async () => {};
  goOn();
  expect(await (await response).json()).toEqual({ bytes: BYTES });
});

test('a large body whose turn does not come is refused, and handled by nobody', async () => {
  const client = newClient();
  await client.fetch(`${app.url}/small`);
  turns.decide = async (path, isPortion) => {
    if (path === '/size' && isPortion) throw new Error('too much');
  };
  await expect(upload(client)).rejects.toThrow();
  expect(app.handled).toEqual(['GET /small']);
});

test('a large answer is hashed in pieces, and its signature is right', async () => {
  const client = newClient();
  await client.fetch(`${app.url}/small`);
  const before = turns.pieces;
  expect(await (await client.fetch(`${app.url}/large`)).text()).toBe(TEXT);
  expect(turns.pieces - before).toBeGreaterThan(BYTES / 1_048_576 + 2);
});

test('a large answer whose turn does not come is signed and sent all the same', async () => {
  const client = newClient();
  await client.fetch(`${app.url}/small`);
  let seen = 0;
  turns.decide = async (path) => {
    // The first two are the verification and the handler.
    if (path === '/large' && ++seen > 2) throw new Error('too much');
  };
  expect(await (await client.fetch(`${app.url}/large`)).text()).toBe(TEXT);
  expect(seen).toBeGreaterThan(2);
});
