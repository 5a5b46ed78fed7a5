import { randomUUID } from 'node:crypto';
import { type Deployment, deployStandalone } from '../acceptance/deployments.js';
import { createPeople } from '../acceptance/people.js';

describe('a server without uploads', () => {
  let deployment: Deployment;
  const person = createPeople();

  beforeAll(async () => {
    deployment = await deployStandalone();
  });
  afterAll(() => deployment?.close());

  const announced = { bytes: 100_000, sha256: '0'.repeat(64) };
  const id = 'A'.repeat(32);

  test.each(['/uploads', '/beef/upload-url'])('refuses %s', async (path) => {
    const { status, body } = await person().post(`${deployment.apis[0]}${path}`, announced);
    expect([status, body['code']]).toEqual([403, 'ERR_UPLOADS_DISABLED']);
  });

  test.each([
    ['a message', { upload: id }, undefined],
    ['a payment', {}, { beefR2Key: id, outputs: [] }],
  ])('refuses %s with an upload, and stores nothing', async (_what, over, payment) => {
    const [alice, bob] = [person(), person()];
    const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'hello', ...over };
    const { status, body } = await alice.post(`${deployment.apis[0]}/sendMessage`, { message, payment });
    expect([status, body['code']]).toEqual([403, 'ERR_UPLOADS_DISABLED']);
    expect(await bob.list(deployment.apis[0], 'inbox')).toEqual([]);
  });

  test('refuses a live send with an upload', async () => {
    const [alice, bob] = [person(), person()];
    const socket = await alice.connect(deployment.realtimes[0]);
    const roomId = `${bob.key}-inbox`;
    const message = { messageId: 'live', recipient: bob.key, body: 'hello', upload: id };
    expect(await socket.request('sendMessage', { roomId, message }, 'messageFailed')).toMatchObject({
      code: 'ERR_UPLOADS_DISABLED',
    });
    expect(await bob.list(deployment.apis[0], 'inbox')).toEqual([]);
  });
});
