import { purgeExpiredRegularly } from '@messagebox/api';
import { createLogger, fixed, type OpenDatabase, openDatabase } from '@messagebox/shared';
import { until } from '../acceptance/history.js';

const BOB = `03${'b'.repeat(64)}`;
const TWO_DAYS_MS = 2 * 86_400_000;

let database: OpenDatabase;

beforeEach(async () => {
  database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await database.messages.migrate();
});
afterEach(() => database.messages.close());

test('the regular purge removes boxes that are empty and were made more than a day ago, and no others', async () => {
  const { messages, sql } = database;
  const boxes = ['old and empty', 'old and full', 'new and empty'];
  for (const messageBox of boxes) {
    await messages.storeMessages([{ recipient: BOB, messageBox, messageId: messageBox, sender: BOB, body: 'hello' }]);
  }
  await messages.acknowledgeMessages(BOB, ['old and empty', 'new and empty']);
  const age = fixed('UPDATE messageBox SET updated_at = ? WHERE type <> ?');
  await sql.write(age, [Date.now() - TWO_DAYS_MS, Buffer.from('new and empty')]);
  const left = async () => {
    const rows = await sql.read(fixed('SELECT type FROM messageBox ORDER BY messageBoxId'), []);
    return rows.map((row) => String(row['type']));
  };
  const log = createLogger('test', false, { write: () => undefined });
  const stop = purgeExpiredRegularly({ store: messages, sql, log, everyMs: 1 });
  try {
    await until('the box is gone', async () => (await left()).length < boxes.length);
    expect(await left()).toEqual(['old and full', 'new and empty']);
    expect(
      await messages.areStored([
        { recipient: BOB, messageBox: 'old and full', messageId: 'old and full', sender: BOB, body: 'hello' },
      ]),
    ).toEqual([true]);
  } finally {
    stop();
  }
});
