import { type DatabaseHandle, openDatabase, SqlPermissionStore } from '@messagebox/store';
import { getPermission, setPermission } from '../src/permissions.js';
import { RuleError } from '../src/rule-error.js';

const ALICE = `02${'a'.repeat(64)}`;

let database: DatabaseHandle;

beforeEach(async () => {
  database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await database.messages.migrate();
});
afterEach(() => database.messages.close());

test('refuses one permission above the limit, and allows changes of existing ones', async () => {
  const parts = { permissions: new SqlPermissionStore(database.sql, 2), normaliseKey: (key: string) => key };
  for (const messageBox of ['a', 'b']) await setPermission(parts, ALICE, { messageBox, recipientFee: 1 });
  const refusal = await setPermission(parts, ALICE, { messageBox: 'c', recipientFee: 1 }).catch((error) => error);
  expect(refusal).toBeInstanceOf(RuleError);
  expect(refusal).toMatchObject({ code: 'ERR_TOO_MANY_PERMISSIONS', status: 429, details: { limit: 2 } });
  expect(refusal.description).toMatch(/You have 2 permissions/);
  expect(await getPermission(parts, ALICE, { messageBox: 'c' })).toMatchObject({ permission: null });
  await setPermission(parts, ALICE, { messageBox: 'b', recipientFee: 9 });
  expect(await getPermission(parts, ALICE, { messageBox: 'b' })).toMatchObject({ permission: { recipientFee: 9 } });
});
