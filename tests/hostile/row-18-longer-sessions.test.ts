import { join } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { RawClient, sendRaw } from '@messagebox/test-support/raw-client';
import knex from 'knex';
import { createUniqueId } from '../bad-input/refusals.ts';
import { startServer } from '../bad-input/server.ts';

/** Claims of requests are kept as long as sessions live by the setting of their time, so sessions must not live longer. */
test('a request that was captured before SESSION_LIFE_SECONDS was made longer is refused after a restart', async () => {
  const folder = createTemporaryFolder();
  const env = { DATA_DIR: folder.path, SERVER_PRIVATE_KEY: '5a'.repeat(32) };
  const client = new RawClient();

  const before = await startServer({ ...env, SESSION_LIFE_SECONDS: '60' });
  const session = await client.shakeHands(before.port);
  const message = { recipient: client.identityKey, messageBox: 'inbox', messageId: createUniqueId(), body: 'once' };
  const captured = session.post('/sendMessage', { message });
  expect((await sendRaw(before.port, captured)).status).toBe(200);
  await before.close();

  const database = knex({
    client: 'better-sqlite3',
    connection: { filename: join(folder.path, 'messagebox.sqlite') },
    useNullAsDefault: true,
  });
  // Two minutes later the claim has been purged, and the message was acknowledged.
  await database('request_claims').delete();
  await database('messages').delete();
  const realNow = Date.now;
  const now = jest.spyOn(Date, 'now').mockImplementation(() => realNow() + 125_000);
  const after = await startServer({ ...env, SESSION_LIFE_SECONDS: '3600' });
  try {
    const answer = await sendRaw(after.port, captured);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 401 });
    expect(await database('messages').select()).toEqual([]);
  } finally {
    now.mockRestore();
    await database.destroy();
    await after.close();
    folder.remove();
  }
});
