import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { withDatabase } from '../acceptance/database.js';
import type { Deploy, Deployment } from '../acceptance/deployments.js';
import { type Answer, createPeople, type Person } from '../acceptance/people.js';
import { type StorageKind, StorageServer } from './storage-server.js';

const MAX_BYTES = 64 * 1_024 * 1_024;
const SMALL = 70_000;
const MAX_OPEN = 4;

/** The answer to `POST /uploads`. */
export interface Announced {
  readonly uploadId: string;
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly expiresAt: string;
}

/** The upload of a listed message. */
interface ListedUpload {
  readonly bytes: number;
  readonly sha256: string;
  readonly url: string;
  readonly expiresAt: string;
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Uploads by real clients and processes, on any deployment and storage. */
export function uploadsSuite(name: string, deploy: Deploy, kind: StorageKind): void {
  const isStrict = kind === 'strict';
  describe(name, () => {
    let storage: StorageServer;
    let deployment: Deployment;
    const person = createPeople();

    beforeAll(async () => {
      storage = await StorageServer.start(kind);
      deployment = await deploy({
        UPLOAD_MAX_BYTES: String(MAX_BYTES),
        MAX_OPEN_UPLOADS_PER_IDENTITY: String(MAX_OPEN),
        ...storage.env,
      });
    });
    afterEach(() => {
      storage.isDown = false;
      storage.keepsObjects = false;
    });
    afterAll(async () => {
      await deployment?.close();
      await storage?.close();
    });

    const api = (instance = 0) => deployment.apis[instance] as string;
    const announce = (by: Person, body: object) => by.post(`${api()}/uploads`, body);
    const make = async (by: Person, content: Uint8Array): Promise<Announced> => {
      const { status, body } = await announce(by, { bytes: content.length, sha256: sha256(content) });
      expect([status, body['status']]).toEqual([200, 'success']);
      return body as unknown as Announced;
    };
    const put = ({ url, method, headers }: Announced, content: Uint8Array) =>
      fetch(url, { method, headers, body: content });
    const upload = async (by: Person, content = randomBytes(SMALL)): Promise<Announced> => {
      const made = await make(by, content);
      expect((await put(made, content)).status).toBe(200);
      return made;
    };
    const message = (to: Person, uploadId: unknown, over: object = {}) => ({
      recipient: to.key,
      messageBox: 'inbox',
      messageId: randomUUID(),
      body: 'a large one',
      upload: uploadId,
      ...over,
    });
    const listUpload = async (by: Person, instance = 0): Promise<ListedUpload | undefined> =>
      ((await by.list(api(instance), 'inbox'))[0] as unknown as { upload?: ListedUpload } | undefined)?.upload;
    const countRows = () =>
      withDatabase(deployment, async (knex) => {
        const [[uploads], [messages]] = await Promise.all([
          knex('uploads').whereNot('state', Buffer.from('gone')).count({ n: '*' }),
          knex('messages').count({ n: '*' }),
        ]);
        return [Number(uploads?.['n']), Number(messages?.['n'])];
      });
    /** The request is refused with this code, and has changed nothing. */
    const refused = async (status: number, code: string, ask: () => Promise<Answer>) => {
      const before = await countRows();
      const { status: given, body } = await ask();
      expect([given, body['code']]).toEqual([status, code]);
      expect(body['description']).toMatch(/^\w.{10,200}\.$/);
      expect(await countRows()).toEqual(before);
    };
    /** Where the object is; it answers 404 when there is none. */
    const locate = async (by: Person) => (await listUpload(by))?.url ?? '';
    const isRemoved = (uploadId: string, times = 1) =>
      waitForCondition(() => storage.count('DELETE', uploadId) >= times, 'the object is removed', 40_000);

    test('GET /info tells how large an upload may be', async () => {
      const response = await fetch(`${api()}/info`);
      const { uploads } = (await response.json()) as { uploads?: unknown };
      expect(uploads).toEqual({ maxBytes: MAX_BYTES, openPerIdentity: MAX_OPEN });
    });

    test('60 MB arrive by reference, and are removed with the message', async () => {
      const [alice, bob] = [person(), person()];
      const content = randomBytes(60_000_000);
      const made = await upload(alice, content);
      const sent = message(bob, made.uploadId);
      expect((await alice.send(api(), sent)).status).toBe(200);
      const listed = await listUpload(bob, 1);
      expect(listed).toMatchObject({ bytes: content.length, sha256: sha256(content) });
      expect(Date.parse(listed?.expiresAt ?? '')).toBeGreaterThan(Date.now());
      const got = Buffer.from(await (await fetch(listed?.url ?? '')).arrayBuffer());
      expect(sha256(got)).toBe(sha256(content));
      // The server itself has read it only where the storage can't tell the hash.
      expect(storage.count('GET', made.uploadId)).toBe(isStrict ? 1 : 2);
      expect((await bob.acknowledge(api(), sent.messageId)).status).toBe(200);
      await isRemoved(made.uploadId);
      expect((await fetch(listed?.url ?? '')).status).toBe(404);
    });

    test('a send that is repeated because its answer was missed succeeds, and stores nothing twice', async () => {
      const [alice, bob] = [person(), person()];
      const { uploadId } = await upload(alice);
      const sent = message(bob, uploadId);
      const answers = [await alice.send(api(), sent), await alice.send(api(1), sent)];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[1]?.body).toEqual(answers[0]?.body);
      expect(await bob.list(api(), 'inbox')).toHaveLength(1);
    });

    test('two sends at once with one upload: one message has it, and the other is refused', async () => {
      const [alice, bob] = [person(), person()];
      const { uploadId } = await upload(alice);
      const answers = await Promise.all([0, 1].map((i) => alice.send(api(i), message(bob, uploadId))));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      expect(answers.find(({ status }) => status === 409)?.body['code']).toBe('ERR_UPLOAD_NAMED');
      expect(await bob.list(api(), 'inbox')).toHaveLength(1);
    });

    test('an upload belongs to one message', async () => {
      const [alice, bob] = [person(), person()];
      const { uploadId } = await upload(alice);
      expect((await alice.send(api(), message(bob, uploadId))).status).toBe(200);
      await refused(409, 'ERR_UPLOAD_NAMED', () => alice.send(api(), message(bob, uploadId)));
      const both = { recipient: [bob.key, alice.key], messageId: [randomUUID(), randomUUID()] };
      const { uploadId: other } = await upload(alice);
      await refused(400, 'ERR_INVALID_UPLOAD', () => alice.send(api(), message(bob, other, both)));
    });

    test('a message that is stored already can not get an upload later', async () => {
      const [alice, bob] = [person(), person()];
      const sent = message(bob, null);
      expect((await alice.send(api(), sent)).status).toBe(200);
      const { uploadId } = await upload(alice);
      await refused(400, 'ERR_DUPLICATE_MESSAGE', () => alice.send(api(), { ...sent, upload: uploadId }));
    });

    test('nobody else can name an upload, and nobody but the recipient is told where it is', async () => {
      const [alice, bob, eve] = [person(), person(), person()];
      const { uploadId } = await upload(alice);
      await refused(404, 'ERR_UPLOAD_NOT_FOUND', () => eve.send(api(), message(bob, uploadId)));
      expect((await alice.send(api(), message(bob, uploadId))).status).toBe(200);
      expect(await eve.list(api(), 'inbox')).toEqual([]);
      expect(await alice.list(api(), 'inbox')).toEqual([]);
    });

    test.each([
      ['garbage', 'x', 400, 'ERR_INVALID_UPLOAD'],
      ['a number', 7, 400, 'ERR_INVALID_UPLOAD'],
      ['an object', { uploadId: 'x' }, 400, 'ERR_INVALID_UPLOAD'],
      ['a path', '../../../../etc/passwd/../../..12', 400, 'ERR_INVALID_UPLOAD'],
      ['an upload that was never made', 'A'.repeat(32), 404, 'ERR_UPLOAD_NOT_FOUND'],
    ])('refuses %s in a message', async (_what, uploadId, status, code) => {
      const [alice, bob] = [person(), person()];
      await refused(status, code, () => alice.send(api(), message(bob, uploadId)));
    });

    test.each([
      ['no fields', {}, 400, 'ERR_INVALID_UPLOAD'],
      ['bytes as text', { bytes: '70000', sha256: '0'.repeat(64) }, 400, 'ERR_INVALID_UPLOAD'],
      ['a fraction of a byte', { bytes: 70_000.5, sha256: '0'.repeat(64) }, 400, 'ERR_INVALID_UPLOAD'],
      ['less than a body', { bytes: 10, sha256: '0'.repeat(64) }, 400, 'ERR_INVALID_UPLOAD'],
      ['no hash', { bytes: SMALL, sha256: 'zz' }, 400, 'ERR_INVALID_UPLOAD'],
      ['more than the limit', { bytes: MAX_BYTES + 1, sha256: '0'.repeat(64) }, 413, 'ERR_UPLOAD_TOO_LARGE'],
    ])('refuses to announce %s', async (_what, body, status, code) => {
      await refused(status, code, () => announce(person(), body));
    });

    test('refuses to store a message before the content has arrived', async () => {
      const [alice, bob] = [person(), person()];
      const content = randomBytes(SMALL);
      const made = await make(alice, content);
      const sent = message(bob, made.uploadId);
      await refused(409, 'ERR_UPLOAD_INCOMPLETE', () => alice.send(api(), sent));
      expect((await put(made, content)).status).toBe(200);
      expect((await alice.send(api(), sent)).status).toBe(200);
    });

    test('content of another size reaches nobody', async () => {
      const [alice, bob] = [person(), person()];
      const made = await make(alice, randomBytes(SMALL));
      expect((await put(made, randomBytes(SMALL + 1))).status).toBe(isStrict ? 403 : 200);
      const [status, code] = isStrict
        ? ([409, 'ERR_UPLOAD_INCOMPLETE'] as const)
        : ([400, 'ERR_UPLOAD_MISMATCH'] as const);
      await refused(status, code, () => alice.send(api(), message(bob, made.uploadId)));
    });

    test('content of another hash reaches nobody', async () => {
      const [alice, bob] = [person(), person()];
      const made = await make(alice, randomBytes(SMALL));
      expect((await put(made, randomBytes(SMALL))).status).toBe(isStrict ? 400 : 200);
      const [status, code] = isStrict
        ? ([409, 'ERR_UPLOAD_INCOMPLETE'] as const)
        : ([400, 'ERR_UPLOAD_MISMATCH'] as const);
      await refused(status, code, () => alice.send(api(), message(bob, made.uploadId)));
    });

    if (isStrict)
      test('the URL takes nothing without its headers, and nothing else', async () => {
        const content = randomBytes(SMALL);
        const made = await make(person(), content);
        const other = { ...made.headers, 'x-amz-checksum-sha256': Buffer.alloc(32).toString('base64') };
        expect((await put({ ...made, headers: {} }, content)).status).toBe(403);
        expect((await put({ ...made, headers: other }, content)).status).toBe(403);
        expect((await fetch(made.url)).status).toBe(403);
        expect((await put(made, content)).status).toBe(200);
        expect((await put(made, content)).status).toBe(412);
      });

    test('an upload that has expired can not be named, and is removed', async () => {
      const [alice, bob] = [person(), person()];
      const { uploadId } = await upload(alice);
      await withDatabase(deployment, (knex) =>
        knex('uploads')
          .where('upload_id', Buffer.from(uploadId))
          .update({ due_at: Date.now() - 1 }),
      );
      const answer = await alice.send(api(), message(bob, uploadId));
      expect([answer.status, answer.body['code']]).toEqual([404, 'ERR_UPLOAD_NOT_FOUND']);
      expect(await bob.list(api(), 'inbox')).toEqual([]);
      await isRemoved(uploadId);
    });

    test('the number of open uploads of an identity is limited, and sending makes room', async () => {
      const [alice, bob] = [person(), person()];
      const made: Announced[] = [];
      for (let i = 0; i < MAX_OPEN; i += 1) made.push(await upload(alice));
      const another = { bytes: SMALL, sha256: '0'.repeat(64) };
      await refused(429, 'ERR_TOO_MANY_UPLOADS', () => announce(alice, another));
      expect((await announce(bob, another)).status).toBe(200);
      expect((await alice.send(api(), message(bob, made[0]?.uploadId))).status).toBe(200);
      expect((await announce(alice, another)).status).toBe(200);
    });

    test('while the storage is down sends with uploads are refused, and acknowledging goes on', async () => {
      const [alice, bob] = [person(), person()];
      const [first, second] = [await upload(alice), await upload(alice)];
      const sent = message(bob, first.uploadId);
      expect((await alice.send(api(), sent)).status).toBe(200);
      storage.isDown = true;
      await refused(503, 'ERR_UPLOADS_UNAVAILABLE', () => alice.send(api(), message(bob, second.uploadId)));
      expect((await alice.send(api(), message(bob, undefined))).status).toBe(200);
      expect((await bob.acknowledge(api(), sent.messageId)).status).toBe(200);
      storage.isDown = false;
      expect((await alice.send(api(), message(bob, second.uploadId))).status).toBe(200);
    });

    test('an object whose removal fails is removed later', async () => {
      const [alice, bob] = [person(), person()];
      const { uploadId } = await upload(alice);
      const sent = message(bob, uploadId);
      expect((await alice.send(api(), sent)).status).toBe(200);
      const url = await locate(bob);
      storage.keepsObjects = true;
      expect((await bob.acknowledge(api(), sent.messageId)).status).toBe(200);
      // The SDK tries twice in one attempt.
      await isRemoved(uploadId, 2);
      expect((await fetch(url)).status).toBe(200);
      storage.keepsObjects = false;
      await isRemoved(uploadId, 3);
      expect((await fetch(url)).status).toBe(404);
    });

    test('deleting the account removes what was sent to it, and its own open uploads', async () => {
      const [alice, bob] = [person(), person()];
      const [sent, open] = [await upload(alice), await upload(bob)];
      expect((await alice.send(api(), message(bob, sent.uploadId))).status).toBe(200);
      expect((await bob.post(`${api()}/account/delete`, { confirm: bob.key })).status).toBe(200);
      await Promise.all([isRemoved(sent.uploadId), isRemoved(open.uploadId)]);
    });

    test('the names of another server give the same', async () => {
      const [alice, bob] = [person(), person()];
      const content = randomBytes(SMALL);
      const announced = { bytes: content.length, sha256: sha256(content) };
      const { status, body } = await alice.post(`${api()}/beef/upload-url`, announced);
      expect([status, body['key']]).toEqual([200, body['beefR2Key']]);
      expect((await put({ ...body, url: body['uploadUrl'] } as unknown as Announced, content)).status).toBe(200);
      expect((await alice.send(api(), message(bob, body['key']))).status).toBe(200);
      expect(await listUpload(bob)).toMatchObject(announced);
    });

    test('a live listener gets no event without the upload, and finds the message by listing', async () => {
      const [alice, bob] = [person(), person()];
      const inbox = await bob.createApp(api(), deployment.realtimes[0]).listen('inbox');
      const { uploadId } = await upload(alice);
      expect((await alice.send(api(), message(bob, uploadId))).status).toBe(200);
      expect((await alice.send(api(), message(bob, undefined, { body: 'the next one' }))).status).toBe(200);
      await inbox.waitFor(({ body }) => body === 'the next one');
      expect(inbox.all.map(({ body }) => body)).toEqual(['the next one']);
      expect(await listUpload(bob)).toMatchObject({ bytes: SMALL });
    });
  });
}
