import { createHash, randomBytes, randomInt } from 'node:crypto';
import {
  BoxStatusReader,
  dynamic,
  ExpiredMessagePurger,
  openDatabase,
  SentStatusReader,
  SqlUsageReader,
  UnusedBoxSweeper,
} from '@messagebox/store';
import { percentiles } from '../lib/numbers.mjs';
import { answerParent } from '../lib/rpc.mjs';
import { toStoreConfig } from '../lib/store-config.mjs';
import { encryptedLikeBody, freshId } from './messages.mjs';

const BOX = 'inbox';
const MESSAGES_PER_RECIPIENT = 100;
const MESSAGES_PER_SENDER = 100;
const MESSAGES = 'messages (messageBoxId, recipient, sender, messageId, body, body_bytes)';
const ROWS_PER_STATEMENT = 1_000;
const STATEMENTS_PER_TRANSACTION = 50;
const MAX_BYTES = 15_000_000;
const ENOUGH = 10_001;
/** Old enough for every box, so that each is looked at. */
const LATER = new Date(Date.now() + 86_400_000);
/** As a server has them. */
const RECEIPTS = { key: randomBytes(32), days: 7, maxBytes: 2 ** 40, maxBytesPerSender: 2 ** 40 };
const bodies = Array.from({ length: 64 }, encryptedLikeBody);

/** @typedef {{ name: string, handle: import('@messagebox/store').DatabaseHandle, rows: number, recipients: number, senders: number }} Table */
/** @type {Map<string, Table>} */
const tables = new Map();

answerParent({
  /**
   * Makes a database with so many messages: a tenth of them in the box of one recipient, the others in boxes of 100, and no
   * two of one recipient beside each other. Straight into SQL, as the rules would take hours.
   */
  async fill({ name, database, rows }) {
    const handle = openDatabase(toStoreConfig(database));
    await handle.messages.migrate();
    const big = Math.floor(rows / 10);
    const recipients = Math.max(1, Math.floor((rows - big) / MESSAGES_PER_RECIPIENT));
    const senders = Math.ceil(rows / MESSAGES_PER_SENDER);
    const boxIds = await createBoxes(handle.sql, recipients + 1);
    const step = Math.max(1, Math.floor(rows / big));
    /** @type {unknown[][][]} */
    let statements = [];
    for (let start = 0; start < rows; start += ROWS_PER_STATEMENT) {
      const values = [];
      for (let row = start; row < Math.min(rows, start + ROWS_PER_STATEMENT); row++) {
        // Each tenth message is for the first recipient, whose box is the large one.
        const recipient = row % step === 0 ? 0 : 1 + (row % recipients);
        const body = bodies[row % bodies.length];
        const id = toId(name, row);
        values.push([
          boxIds[recipient],
          key('r', recipient),
          key('s', row % senders),
          Buffer.from(id),
          body,
          body.length,
        ]);
      }
      statements.push(values);
      if (statements.length < STATEMENTS_PER_TRANSACTION && start + ROWS_PER_STATEMENT < rows) continue;
      const chunk = statements;
      statements = [];
      await handle.sql.transaction(async (runner) => {
        for (const each of chunk) await insert(runner, MESSAGES, each);
      });
    }
    // A database server does this by itself some time after so many rows were added.
    const analyze = handle.sql.engine === 'mysql' ? 'ANALYZE TABLE messages, messageBox' : 'ANALYZE';
    await handle.sql.knex.raw(analyze);
    tables.set(name, { name, handle, rows, recipients, senders });
  },

  /** Measures each operation on each table, alternately. Milliseconds. */
  async measure({ rounds }) {
    /** @type {Record<string, Record<string, number[]>>} */
    const times = {};
    for (let round = -20; round < rounds; round++) {
      for (const [name, table] of tables) {
        for (const [operation, run] of Object.entries(operations)) {
          const prepared = await run.prepare?.(table);
          const before = performance.now();
          await run.work(table, prepared);
          const ms = performance.now() - before;
          // The first rounds warm up.
          if (round < 0) continue;
          const byTable = times[operation] ?? {};
          times[operation] = byTable;
          byTable[name] = [...(byTable[name] ?? []), ms];
        }
      }
    }
    return Object.fromEntries(
      Object.entries(times).map(([operation, byTable]) => [
        operation,
        Object.fromEntries(Object.entries(byTable).map(([name, list]) => [name, percentiles(list)])),
      ]),
    );
  },

  async close() {
    for (const { handle } of tables.values()) await handle.messages.close();
    tables.clear();
  },
});

/** @type {Record<string, { prepare?: (table: Table) => Promise<any>, work: (table: Table, prepared: any) => Promise<unknown> }>} */
const operations = {
  'list 100 of a usual box': { work: ({ handle, recipients }) => list(handle, pick(recipients), 100) },
  'list the first 100 of the large box': { work: ({ handle }) => list(handle, 0, 100) },
  // Half of the large box of the small table.
  'list 50 from the middle of the large box': { work: ({ handle, rows }) => list(handle, 0, 50, String(rows >> 1)) },
  'find a message by its id': {
    work: ({ handle }) =>
      handle.messages.listMessages({
        recipient: name('r', 0),
        messageBox: BOX,
        messageId: freshId(),
        maxBytes: MAX_BYTES,
      }),
  },
  'send one message': {
    work: ({ handle, recipients, senders }) =>
      handle.messages.storeMessages([createMessage(pick(recipients), randomInt(senders))]),
  },
  'sum up the quota of a recipient': {
    work: ({ handle, recipients }) =>
      new SqlUsageReader(handle.sql).readInboxUsage(name('r', pick(recipients)), ENOUGH),
  },
  'sum up the quota of a sender': {
    work: ({ handle, senders }) =>
      new SqlUsageReader(handle.sql).readSenderUsage(name('s', randomInt(senders)), ENOUGH),
  },
  'acknowledge one message': {
    prepare: (table) => store(table, pick(table.recipients), 1),
    work: ({ handle }, { recipient, ids }) => handle.messages.acknowledgeMessages(recipient, ids),
  },
  'acknowledge 100 messages': {
    prepare: (table) => store(table, 0, 100),
    work: ({ handle }, { recipient, ids }) => handle.messages.acknowledgeMessages(recipient, ids),
  },
  'acknowledge one message, with a receipt': {
    prepare: (table) => store(table, pick(table.recipients), 1),
    work: ({ handle }, { recipient, ids }) =>
      remembering(handle.sql, () => handle.messages.acknowledgeMessages(recipient, ids)),
  },
  'acknowledge 100 messages, with receipts': {
    prepare: (table) => store(table, 0, 100),
    work: ({ handle }, { recipient, ids }) =>
      remembering(handle.sql, () => handle.messages.acknowledgeMessages(recipient, ids)),
  },
  'count a usual box': {
    work: ({ handle, recipients }) => new BoxStatusReader(handle.sql).readBox(name('r', pick(recipients)), BOX),
  },
  // A large box is counted only up to the limit.
  'count the large box': {
    work: ({ handle }) => new BoxStatusReader(handle.sql).readBox(name('r', 0), BOX),
  },
  'state of 100 sends that are stored': {
    work: ({ handle, name: table, senders }) => {
      const sender = randomInt(senders);
      const ids = Array.from({ length: MESSAGES_PER_SENDER }, (_, n) => toId(table, sender + n * senders));
      return remembering(handle.sql, () => new SentStatusReader(handle.sql).read(name('s', sender), ids));
    },
  },
  'purge: look at up to 500 boxes': {
    work: ({ handle, recipients }) =>
      new UnusedBoxSweeper(handle.sql).sweep(randomInt(Math.max(1, recipients - 500)), LATER),
  },
  'purge: look for expired messages': {
    work: ({ handle }) => new ExpiredMessagePurger(handle.sql).findsWork(),
  },
  'purge: remove 100 expired messages': {
    prepare: (table) => storeExpired(table, 100),
    work: ({ handle }) => new ExpiredMessagePurger(handle.sql).step(),
  },
  'purge: expired claims': { work: ({ handle }) => handle.messages.purgeClaims(new Date(), 5_000) },
};

/** The id of a message that `fill` has made. */
const toId = (/** @type {string} */ table, /** @type {number} */ row) =>
  createHash('sha256').update(`${table}${row}`).digest('hex');
/** @param {number} recipients the number of usual ones */
const pick = (recipients) => 1 + randomInt(recipients);
/** The key of a recipient or sender. It need not be a point on the curve here. */
const name = (/** @type {string} */ kind, /** @type {number} */ index) =>
  `02${createHash('sha256').update(`${kind}${index}`).digest('hex')}`;
const key = (/** @type {string} */ kind, /** @type {number} */ index) => Buffer.from(name(kind, index));

/**
 * Runs work while the database remembers what becomes of messages. On the same connection, as another one of SQLite would
 * read its pages again.
 *
 * @template T
 * @param {import('@messagebox/store').SqlClient} sql
 * @param {() => Promise<T>} work
 */
async function remembering(sql, work) {
  Object.assign(sql, { receipts: RECEIPTS });
  try {
    return await work();
  } finally {
    Object.assign(sql, { receipts: undefined });
  }
}

/** @param {string} [after] */
function list(handle, recipient, limit, after) {
  return handle.messages.listMessages({
    recipient: name('r', recipient),
    messageBox: BOX,
    limit,
    maxBytes: MAX_BYTES,
    ...(after === undefined ? {} : { after }),
  });
}

function createMessage(recipient, sender) {
  return {
    recipient: name('r', recipient),
    messageBox: BOX,
    messageId: freshId(),
    sender: name('s', sender),
    body: bodies[0],
  };
}

async function store({ handle, senders }, recipient, count) {
  const messages = Array.from({ length: count }, () => createMessage(recipient, randomInt(senders)));
  await handle.messages.storeMessages(messages);
  return { recipient: name('r', recipient), ids: messages.map(({ messageId }) => messageId) };
}

/** Stores messages for so many of the usual recipients whose time has come already. */
async function storeExpired({ handle, recipients, senders }, count) {
  const expiresAt = new Date(Date.now() - 60_000);
  const messages = Array.from({ length: count }, () => createMessage(pick(recipients), randomInt(senders)));
  await handle.messages.storeMessages(messages.map((message) => ({ ...message, expiresAt })));
}

/** Creates a box for each recipient. @returns the row ids, by the index of the recipient */
async function createBoxes(sql, count) {
  for (let start = 0; start < count; start += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, count - start);
    const values = Array.from({ length }, (_, i) => [key('r', start + i), Buffer.from(BOX)]);
    await insert(sql, 'messageBox (identityKey, type)', values);
  }
  const rows = await sql.knex.select('messageBoxId', 'identityKey').from('messageBox');
  const ids = new Map(rows.map((row) => [Buffer.from(row.identityKey).toString(), row.messageBoxId]));
  return Array.from({ length: count }, (_, index) => ids.get(name('r', index)));
}

/** @param {import('@messagebox/store').SqlRunner} runner @param {string} head @param {any[][]} values */
async function insert(runner, head, values) {
  const row = `(${values[0].map(() => '?').join(', ')})`;
  const text = `INSERT INTO ${head} VALUES ${values.map(() => row).join(', ')}`;
  await runner.write(dynamic(text), values.flat());
}
