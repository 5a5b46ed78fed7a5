import { AuthFetch, CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import type { WorkSchedule } from '../src/http/work-schedule.js';
import { startApp, type TestApp } from './support/test-app.js';

const BYTES = 3_000_000;
const TEXT = 'x'.repeat(BYTES);

/** Counts the work that it runs. `decide` can delay or refuse it. */
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

test('a large body is read in portions and hashed in chunks', async () => {
  const response = await upload(newClient());
  expect(await response.json()).toEqual({ bytes: BYTES });
  expect(turns.portions).toBeGreaterThan(3);
  const { pieces } = turns;
  await upload(newClient(), 'small');
  expect(turns.pieces - pieces).toBeLessThan(pieces / 2);
});

test('another client is served while a large body waits for its turn', async () => {
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

test('a large body that gets no turn is refused, and its handler never runs', async () => {
  const client = newClient();
  await client.fetch(`${app.url}/small`);
  turns.decide = async (path, isPortion) => {
    if (path === '/size' && isPortion) throw new Error('too much');
  };
  await expect(upload(client)).rejects.toThrow();
  expect(app.handled).toEqual(['GET /small']);
});

test('a large response is hashed in chunks, and its signature verifies', async () => {
  const client = newClient();
  await client.fetch(`${app.url}/small`);
  const before = turns.pieces;
  expect(await (await client.fetch(`${app.url}/large`)).text()).toBe(TEXT);
  expect(turns.pieces - before).toBeGreaterThan(BYTES / 1_048_576 + 2);
});

test('a large response that gets no turn is still signed and sent', async () => {
  const client = newClient();
  await client.fetch(`${app.url}/small`);
  let seen = 0;
  turns.decide = async (path) => {
    // The first two pieces are the verification and the handler.
    if (path === '/large' && ++seen > 2) throw new Error('too much');
  };
  expect(await (await client.fetch(`${app.url}/large`)).text()).toBe(TEXT);
  expect(seen).toBeGreaterThan(2);
});
