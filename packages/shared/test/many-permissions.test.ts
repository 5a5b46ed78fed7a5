import { getPermission, setPermission } from '../src/rules/permissions.js';
import { RuleError } from '../src/rules/rule-error.js';
import { type OpenDatabase, openDatabase, SqlPermissionStore } from '../src/store/index.js';

const ALICE = `02${'a'.repeat(64)}`;

let database: OpenDatabase;

beforeEach(async () => {
  database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await database.messages.migrate();
});
afterEach(() => database.messages.close());

test('one permission more than are kept is refused with the limit; changing one that is there is not', async () => {
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
