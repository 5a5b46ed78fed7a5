import { startExpiryPurge } from '@messagebox/api';
import { createLogger, Metrics } from '@messagebox/shared';
import { type DatabaseHandle, openDatabase, prepared } from '@messagebox/store';
import { waitUntil } from '../acceptance/history.js';

const BOB = `03${'b'.repeat(64)}`;
const TWO_DAYS_MS = 2 * 86_400_000;

let database: DatabaseHandle;

beforeEach(async () => {
  database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await database.messages.migrate();
});
afterEach(() => database.messages.close());

test('the purge removes only empty boxes that are older than a day', async () => {
  const { messages, sql } = database;
  const boxes = ['old and empty', 'old and full', 'new and empty'];
  for (const messageBox of boxes) {
    await messages.storeMessages([{ recipient: BOB, messageBox, messageId: messageBox, sender: BOB, body: 'hello' }]);
  }
  await messages.acknowledgeMessages(BOB, ['old and empty', 'new and empty']);
  const age = prepared('UPDATE messageBox SET updated_at = ? WHERE type <> ?');
  await sql.write(age, [Date.now() - TWO_DAYS_MS, Buffer.from('new and empty')]);
  const left = async () => {
    const rows = await sql.read(prepared('SELECT type FROM messageBox ORDER BY messageBoxId'), []);
    return rows.map((row) => String(row['type']));
  };
  const log = createLogger('test', 'info', { write: () => undefined });
  const stop = startExpiryPurge({ store: messages, sql, log, metrics: new Metrics('test', {}), intervalMs: 1 });
  try {
    await waitUntil('the box is gone', async () => (await left()).length < boxes.length);
    expect(await left()).toEqual(['old and full', 'new and empty']);
    expect(
      await messages.areStored([
        { recipient: BOB, messageBox: 'old and full', messageId: 'old and full', sender: BOB, body: 'hello' },
      ]),
    ).toEqual([true]);
  } finally {
    await stop();
  }
});
