import { randomBytes } from 'node:crypto';
import type { Sql, SqlClient, SqlRunner, SqlValue, StoreConfig } from '@messagebox/store';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { type AdvertisingHost, openAdvertisingHost } from '../support/advertising-host.js';

/** The number of advertisements of other hosts. */
const OTHERS = 10_000;
/** More rows in a statement's plan are a scan. */
const FEW = 100;

interface Statement {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

/** Collects the statements that are sent to the database from now on. */
function recordStatements(sql: SqlClient): Statement[] {
  const statements: Statement[] = [];
  const recording = (runner: SqlRunner): SqlRunner => ({
    read: (statement, values) => runner.read(note(statement, values), values),
    write: (statement, values) => runner.write(note(statement, values), values),
  });
  const note = (statement: Sql, values: readonly SqlValue[]): Sql => {
    statements.push({ text: statement.text, values });
    return statement;
  };
  const { read, write } = recording({ read: sql.read.bind(sql), write: sql.write.bind(sql) });
  const transaction = sql.transaction.bind(sql);
  Object.assign(sql, {
    read,
    write,
    transaction: <T>(work: (runner: SqlRunner) => Promise<T>) => transaction((runner) => work(recording(runner))),
  });
  return statements;
}

/** Fills the tables like those of an overlay that knows many hosts. */
async function fill({ sql }: AdvertisingHost): Promise<void> {
  const now = Date.now();
  const tables: Record<string, (txid: Buffer, n: number) => SqlValue[]> = {
    'overlay_transactions (txid, bytes, beef)': (txid) => [txid, 1, Buffer.from('00', 'hex')],
    'overlay_applied (txid, topic, proven, applied_at, ask_at)': (txid) => [txid, Buffer.from('tm_ship'), 1, now, now],
    'overlay_outputs (topic, txid, output_index, score)': (txid, n) => [Buffer.from('tm_ship'), txid, 0, now + n],
    'overlay_spends (topic, txid, output_index, spending_txid, admitted)': (txid) => [
      Buffer.from('tm_ship'),
      randomBytes(32),
      0,
      txid,
      1,
    ],
    'overlay_service_ads (txid, output_index, protocol, name, identity_key, domain, created_at)': (txid, n) => [
      txid,
      0,
      Buffer.from(n % 2 === 0 ? 'SHIP' : 'SLAP'),
      Buffer.from(n % 2 === 0 ? 'tm_messagebox' : 'ls_messagebox'),
      Buffer.from(`02${txid.toString('hex')}`),
      Buffer.from(`https://host-${n}.messagebox-one.com`),
      now + n,
    ],
  };
  for (let start = 0; start < OTHERS; start += 500) {
    const txids = Array.from({ length: 500 }, () => randomBytes(32));
    for (const [table, rowOf] of Object.entries(tables)) {
      const rows = txids.map((txid, n) => rowOf(txid, start + n));
      const marks = rows.map((row) => `(${row.map(() => '?').join(', ')})`).join(', ');
      await sql.write({ text: `INSERT INTO ${table} VALUES ${marks}`, kind: 'dynamic' }, rows.flat());
    }
  }
  if (sql.engine === 'sqlite') return;
  const names = Object.keys(tables).map((table) => table.slice(0, table.indexOf(' ')));
  await sql.read({ text: `ANALYZE TABLE ${names.join(', ')}`, kind: 'dynamic' }, []);
}

/** The tables that a statement scans, according to the database's plan. */
async function scanned(sql: SqlClient, { text, values }: Statement): Promise<string[]> {
  if (sql.engine === 'sqlite') {
    const plan = await sql.read({ text: `EXPLAIN QUERY PLAN ${text}`, kind: 'dynamic' }, values);
    // A scan has no condition, with or without an index.
    return plan.flatMap(({ detail }) => /^SCAN (\w+)/.exec(String(detail))?.[1] ?? []);
  }
  const plan = await sql.read({ text: `EXPLAIN FORMAT=TRADITIONAL ${text}`, kind: 'dynamic' }, values);
  return plan.flatMap((row) => (Number(row['rows']) > FEW ? [`${row['table']} (${row['type']}, ${row['rows']})`] : []));
}

const OWN = ['overlay_own_ads', 'overlay_own_transactions', 'overlay_settings'];

function suite(open: () => Promise<AdvertisingHost>): void {
  test('no statement scans the tables of other hosts', async () => {
    const host = await open();
    try {
      await fill(host);
      const statements = recordStatements(host.sql);
      const { reconciler, ownTransactions } = await host.start();
      expect((await reconciler.reconcile()).created).toHaveLength(2);
      await reconciler.reconcile();
      await reconciler.reconcile(true);
      const moved = await host.start({ HOSTING_DOMAIN: 'https://messagebox-two.com' });
      expect((await moved.reconciler.reconcile()).revoked).toHaveLength(2);
      await ownTransactions.recordDecision(false, new Date());
      expect((await reconciler.reconcile()).revoked).toHaveLength(2);

      const asked = [...new Map(statements.map((statement) => [statement.text, statement])).values()].filter(
        ({ text }) => /^\s*(SELECT|UPDATE|DELETE)/.test(text),
      );
      expect(asked.length).toBeGreaterThan(20);
      expect(
        asked.filter(({ text }) => /overlay_(outputs|spends|applied|service_ads)/.test(text)).length,
      ).toBeGreaterThan(5);
      // A statement that scans, to verify the check itself.
      const scan = { text: 'SELECT output_index FROM overlay_service_ads WHERE output_index > 0', values: [] };
      expect(await scanned(host.sql, scan)).toHaveLength(1);
      const scans: string[] = [];
      for (const statement of asked) {
        const tables = await scanned(host.sql, statement);
        scans.push(...tables.filter((table) => !OWN.includes(table)).map((table) => `${table}: ${statement.text}`));
      }
      expect(scans).toEqual([]);
    } finally {
      await host.close();
    }
  }, 120_000);
}

describe('reconciling beside 10,000 advertisements (SQLite)', () => suite(() => openAdvertisingHost()));

describeWithMysql('reconciling beside 10,000 advertisements (MySQL, MariaDB)', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createMysqlDatabase();
  });
  afterAll(() => database.drop());
  suite(() => openAdvertisingHost({}, database.config as StoreConfig));
});
