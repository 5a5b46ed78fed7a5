import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createLogger } from '@messagebox/shared';
import { type StoreConfig, UploadStore } from '@messagebox/store';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createMysqlDatabase, describeWithMysql } from '@messagebox/test-support/with-mysql';
import { type ObjectStorage, UploadService } from '@messagebox/uploads';
import {
  createIdentityKey,
  type PaymentDatabase,
  PaymentTestBed,
  type PaymentTestServer,
  SERVER,
  usePaymentDatabase,
} from '../../packages/payments/test/support/payment-test-bed.ts';

const LARGE = 5_000_000;

/** Objects in memory, by key. */
class MemoryStorage implements ObjectStorage {
  readonly objects = new Map<string, Buffer>();
  presignPut = async () => ({ url: 'http://storage/put', headers: {} });
  presignGet = async (key: string) => `http://storage/${key}`;
  head = async (key: string) => {
    const found = this.objects.get(key);
    return found && { bytes: found.length, sha256: createHash('sha256').update(found).digest('hex') };
  };
  async *read(key: string) {
    yield this.objects.get(key) ?? Buffer.alloc(0);
  }
  remove = async (key: string) => void this.objects.delete(key);
  close = async () => undefined;
}

/** Payments whose transaction does not fit into a message, with the real rules and tables on a network that is none. */
function largePaymentsSuite(name: string, createDatabase: () => Promise<PaymentDatabase>): void {
  describe(name, () => {
    const database = usePaymentDatabase(createDatabase);
    let testBed: PaymentTestBed;
    let server: PaymentTestServer;
    let storage: MemoryStorage;
    let uploads: UploadService | undefined;
    let [alice, bob] = ['', ''];
    let ids = 0;

    beforeEach(() => {
      testBed = new PaymentTestBed(database().config);
      testBed.verifier.neededBytes = LARGE;
      storage = new MemoryStorage();
      testBed.openUploads = (sql) => {
        const log = createLogger('test', 'info', { write: () => undefined });
        const limits = { openUploads: 10, totalBytes: 1e9 };
        uploads = new UploadService({ records: new UploadStore(sql), storage, maxBytes: 1e8, limits, log });
        return uploads;
      };
      server = testBed.open();
      [alice, bob] = [createIdentityKey(), createIdentityKey()];
      testBed.fees.set(bob, 7);
    });
    afterEach(() => testBed.close());

    const toBob = () => ({ recipient: bob, messageId: `large-${++ids}` });
    /** A payment for bob of which the server needs all bytes, uploaded by alice. */
    const pay = async () => {
      const { tx, ...payment } = await testBed.verifier.payment([SERVER, 10], [bob, 7]);
      const beef = Buffer.concat([Buffer.from(tx), Buffer.alloc(LARGE - tx.length, 7)]);
      const sha256 = createHash('sha256').update(beef).digest('hex');
      const announced = await uploads?.announce(alice, { bytes: beef.length, sha256 });
      const key = announced?.uploadId ?? '';
      storage.objects.set(`uploads/${key}`, beef);
      return { key, tx, payment: { ...payment, beefR2Key: key } };
    };

    test('the recipient gets the payment with a reference, and the upload with the message', async () => {
      const { key, tx, payment } = await pay();
      const message = toBob();
      await server.send(alice, message, payment);
      await server.send(alice, message, payment);
      const [listed, ...others] = await server.list(bob);
      expect(others).toEqual([]);
      const { outputs, description } = payment;
      expect(JSON.parse(listed?.body ?? '')).toEqual({
        message: 'hello',
        payment: { beefR2Key: key, outputs: outputs.slice(1), description },
      });
      expect(listed?.upload).toMatchObject({ uploadId: key, bytes: LARGE });
      expect(await server.readState({ tx })).toBe('done');
      expect(testBed.receiver.calls).toHaveLength(1);
      // It goes to no socket, now or later: a client would acknowledge it without the upload.
      expect(testBed.published).toEqual([]);
      expect(await server.store.readBodies([Number(listed?.cursor)])).toEqual(new Map());
    });

    test.each(['recorded', 'received'])('a payment that was interrupted when %s is completed', async (at) => {
      const { key, tx, payment } = await pay();
      testBed.onStep = (step) => {
        if (step === at) throw new Error(`interrupted when ${at}`);
      };
      await server.sendRefused(alice, toBob(), payment);
      expect([await server.readState({ tx }), await server.list(bob)]).toEqual(['taking', []]);
      testBed.onStep = () => undefined;
      expect(await server.runRecovery()).toBe(1);
      expect((await server.list(bob)).map(({ upload }) => upload?.uploadId)).toEqual([key]);
      expect(await server.readState({ tx })).toBe('done');
    });

    test('a transaction of this size goes to one recipient, and counts for the quota of its inbox', async () => {
      const carol = createIdentityKey();
      const { tx, payment } = await pay();
      const both = { recipients: [bob, carol], messageId: ['one', 'two'] };
      expect(await server.sendRefused(alice, both, payment)).toBe('ERR_INVALID_UPLOAD');
      testBed.quota = { messages: Number.POSITIVE_INFINITY, bytes: LARGE };
      server = testBed.open();
      expect(await server.sendRefused(alice, toBob(), payment)).toBe('ERR_INBOX_QUOTA_EXCEEDED');
      expect([await server.readState({ tx }), await server.list(bob)]).toEqual([undefined, []]);
      expect(testBed.receiver.calls).toEqual([]);
    });
  });
}

largePaymentsSuite('large payments on SQLite', async () => {
  const folder = createTemporaryFolder();
  const config: StoreConfig = { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') };
  return { config, remove: async () => folder.remove() };
});
describeWithMysql('large payments on MySQL', () => {
  largePaymentsSuite('with its tables', async () => {
    const { config, drop } = await createMysqlDatabase();
    return { config, remove: drop };
  });
});
