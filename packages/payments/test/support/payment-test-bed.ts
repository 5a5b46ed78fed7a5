import { randomBytes } from 'node:crypto';
import { PrivateKey } from '@bsv/sdk';
import {
  createPushOutboxWriter,
  type DeliverMessagesOptions,
  deliverMessages,
  parseSend,
  RuleError,
  type SendMessagesOptions,
  type SendMessagesResponse,
  StorageQuotas,
  sendMessages,
  type UploadProcessor,
} from '@messagebox/messages';
import { createLogger } from '@messagebox/shared';
import {
  type MessageStore,
  NamedLock,
  openDatabase,
  PushOutbox,
  prepared,
  type SqlClient,
  SqlUsageReader,
  type StoreConfig,
} from '@messagebox/store';
import { type Brc29Payment, createBrc29Payment, describePaymentOutput } from '@messagebox/test-support/brc29';
import type { PaymentReceiver } from '../../src/payment-receiver.js';
import { PaymentService } from '../../src/payment-service.ts';
import { PaymentStore } from '../../src/payment-store.ts';
import type { PaymentVerifier, UnverifiedPayment } from '../../src/payment-verifier.js';
import { PricePayments } from '../../src/price-payments.ts';
import { PricePrefixes } from '../../src/price-prefixes.ts';
import { PriceStore } from '../../src/price-store.ts';
import type { PaymentStep } from '../../src/settlement.js';
import { createTestScripts, toIdentityKey } from './payee-scripts.ts';

const serverKey = PrivateKey.fromRandom();
export const SERVER = toIdentityKey(serverKey);
export const createIdentityKey = () => toIdentityKey(PrivateKey.fromRandom());

/** A verifier that accepts the payments which it has made. The first 32 bytes of a transaction are its id. */
export class FakePaymentVerifier implements PaymentVerifier {
  readonly #outputsByTxid = new Map<string, readonly Brc29Payment['output'][]>();
  /** How much of a transaction's bytes it needs; the rest is left out. */
  neededBytes = 33;
  /** Thrown by the next verifications. */
  failure: Error | undefined;

  /** Makes the `payment` of a request, with an output for each payee in this order. */
  async payment(...payees: (readonly [string, number])[]) {
    const txid = randomBytes(32);
    const paid = await Promise.all(payees.map(([payee, satoshis]) => createBrc29Payment(payee, satoshis, 'anyone')));
    this.#outputsByTxid.set(
      txid.toString('hex'),
      paid.map(({ output }) => output),
    );
    const outputs = paid.map((one, i) => describePaymentOutput(one, i));
    return { tx: [...txid, 7, 7], outputs, description: 'a message to pay for' };
  }

  /** Makes a transaction with these outputs, whose bytes begin like an AtomicBEEF. */
  addTransaction(outputs: readonly Brc29Payment['output'][]): { bytes: Uint8Array; txid: string } {
    const id = Buffer.concat([Buffer.from([1, 1, 1, 1]), randomBytes(28)]);
    this.#outputsByTxid.set(id.toString('hex'), outputs);
    return { bytes: Buffer.concat([id, Buffer.alloc(8, 7)]), txid: id.toString('hex') };
  }

  async parse(beef: Uint8Array): Promise<UnverifiedPayment> {
    const txid = Buffer.from(beef.subarray(0, 32)).toString('hex');
    const verify = async () => {
      if (this.failure !== undefined) throw this.failure;
      const outputs = this.#outputsByTxid.get(txid);
      if (outputs === undefined) throw new RuleError('ERR_INVALID_PAYMENT', 'Nobody has made this.');
      return { txid, outputs, beef: beef.subarray(0, this.neededBytes), cost: 0 };
    };
    return { txid, verify };
  }

  report(): void {}
}

/** The network and the server's wallet of a test. */
export class FakePaymentReceiver implements PaymentReceiver {
  hasWallet = true;
  /** The transaction ids of all calls, in their order. */
  readonly calls: string[] = [];
  /** The transaction ids in the wallet. */
  readonly received = new Set<string>();
  /** Awaited before a payment is received. */
  beforeReceive: () => Promise<unknown> = async () => undefined;
  refusal: string | undefined;

  async receive({ txid }: { txid: string }): Promise<'received' | { refused: string }> {
    this.calls.push(txid);
    await this.beforeReceive();
    if (this.refusal !== undefined) return { refused: this.refusal };
    this.received.add(txid);
    return 'received';
  }
}

/** Servers with the real rules, store, records and locks, on a fake network with a fake wallet. */
export class PaymentTestBed {
  readonly verifier = new FakePaymentVerifier();
  readonly receiver = new FakePaymentReceiver();
  readonly scripts = createTestScripts(serverKey);
  readonly prefixes = new PricePrefixes(Buffer.from(serverKey.toHex().padStart(64, '0'), 'hex'));
  readonly published: string[] = [];
  readonly fees = new Map<string, number>();
  deliveryFee = 10;
  /** Opens the uploads of each server. */
  openUploads: (sql: SqlClient) => UploadProcessor | undefined = () => undefined;
  /** The quota of an inbox. */
  quota = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  onStep: (step: PaymentStep) => void = () => undefined;
  readonly #servers: PaymentTestServer[] = [];

  constructor(private readonly config: StoreConfig) {}

  /**
   * Opens a server with its own connections and payment service, like one process.
   *
   * @param locks false behaves as if the database had cut the connection that holds the locks
   */
  open({ poolSize = 10, locks = true } = {}): PaymentTestServer {
    const server = new PaymentTestServer(this, openDatabase({ ...this.config, poolSize }), locks);
    this.#servers.push(server);
    return server;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) await server.store.close();
  }
}

const normaliseKey = (key: string) => (/^0[23][0-9a-f]{64}$/.test(key) ? key : undefined);

export class PaymentTestServer {
  readonly store: MessageStore;
  readonly records: PaymentStore;
  readonly paymentService: PaymentService;
  readonly prices: PriceStore;
  readonly pricePayments: PricePayments;
  readonly sendOptions: SendMessagesOptions & DeliverMessagesOptions;
  readonly #sql: SqlClient;

  constructor(testBed: PaymentTestBed, { messages, sql }: ReturnType<typeof openDatabase>, locks: boolean) {
    this.store = messages;
    this.#sql = sql;
    this.records = new PaymentStore(sql);
    const uploads = testBed.openUploads(sql);
    this.paymentService = new PaymentService({
      verifier: testBed.verifier,
      receiver: testBed.receiver,
      scripts: createTestScripts(serverKey),
      records: this.records,
      exclusive: locks ? new NamedLock(sql) : NO_LOCKS,
      normaliseKey,
      sizes: { each: 8 * 2 ** 20, all: 16 * 2 ** 20, listed: 16_000_000 },
      uploads,
      log: createLogger('test', 'info', { write: () => undefined }),
      onStep: (step) => testBed.onStep(step),
    });
    this.prices = new PriceStore(sql);
    this.pricePayments = new PricePayments({
      prefixes: testBed.prefixes,
      verifier: testBed.verifier,
      receiver: testBed.receiver,
      scripts: testBed.scripts,
      records: this.prices,
      exclusive: locks ? new NamedLock(sql) : NO_LOCKS,
      log: createLogger('test', 'info', { write: () => undefined }),
    });
    const none = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
    const limits = { inbox: testBed.quota, sender: none, pair: none };
    this.sendOptions = {
      store: this.store,
      permissions: {
        decisions: async (recipients) =>
          new Map(recipients.map((one) => [one, { forSender: testBed.fees.get(one) ?? 0, boxWide: undefined }])),
      },
      deliveryFees: { feeFor: async () => testBed.deliveryFee },
      events: {
        publish: ({ recipient, messageId, body }) => void testBed.published.push(`${recipient} ${messageId} ${body}`),
      },
      push: createPushOutboxWriter(new PushOutbox(sql), () => undefined),
      quotas: new StorageQuotas({ limits, usage: new SqlUsageReader(sql) }),
      payments: this.paymentService,
      uploads,
    };
  }

  send(sender: string, message: object, payment?: object): Promise<SendMessagesResponse> {
    const request = { message: { messageBox: 'notifications', body: 'hello', ...message }, payment };
    return sendMessages(this.sendOptions, parseSend({ normaliseKey, maxRecipients: 1_000 }, sender, request));
  }

  /** Returns the code of the refusal, the name of another error, or `nothing`. */
  async sendRefused(...args: Parameters<PaymentTestServer['send']>): Promise<string> {
    const error = await this.send(...args).catch((thrown: unknown) => thrown);
    if (error instanceof RuleError) return error.code;
    if (error instanceof Error) return error.name;
    return 'nothing';
  }

  /**
   * Runs the recovery once.
   *
   * @param idleMs default: all payments are made two hours older, so that none is too young
   */
  async runRecovery(idleMs?: number): Promise<number> {
    if (idleMs === undefined) {
      const hours = 2 * 3_600_000;
      const pass = prepared('UPDATE payments SET created_at = created_at - ?, updated_at = updated_at - ?');
      await this.#sql.write(pass, [hours, hours]);
      idleMs = 60_000;
    }
    return await this.paymentService.resumePending(
      (delivery, withinTransaction) => deliverMessages(this.sendOptions, delivery, withinTransaction),
      idleMs,
    );
  }

  async list(recipient: string, messageBox = 'notifications') {
    return (await this.store.listMessages({ recipient, messageBox, maxBytes: 1e8 })).messages;
  }

  async readState({ tx }: { readonly tx: readonly number[] }): Promise<string | undefined> {
    return (await this.records.find(Buffer.from(tx.slice(0, 32)).toString('hex')))?.state;
  }

  /** Sets when a payment was begun and when it was last touched. */
  async setAge({ tx }: { readonly tx: readonly number[] }, ageMs: number, untouchedMs = ageMs): Promise<void> {
    const now = Date.now();
    await this.#sql.write(prepared('UPDATE payments SET created_at = ?, updated_at = ? WHERE txid = ?'), [
      now - ageMs,
      now - untouchedMs,
      Buffer.from(tx.slice(0, 32)),
    ]);
  }

  /** Sets when a payment for a request was recorded and last touched. */
  async setPriceAge(txid: string, ageMs: number): Promise<void> {
    const then = Date.now() - ageMs;
    const sql = prepared('UPDATE request_payments SET created_at = ?, updated_at = ? WHERE txid = ?');
    await this.#sql.write(sql, [then, then, Buffer.from(txid, 'hex')]);
  }

  /** Counts the rows of the push outbox. */
  async countPushes(): Promise<number> {
    return await new PushOutbox(this.#sql).countUpTo(1_000);
  }
}

const NO_LOCKS = { withLock: (_name: string, work: () => Promise<unknown>) => work() } as unknown as NamedLock;

/** A database for a suite. */
export interface PaymentDatabase {
  readonly config: StoreConfig;
  remove(): Promise<void>;
}

/** Creates the database and its tables before the tests of a suite, and removes it afterwards. @returns a getter */
export function usePaymentDatabase(create: () => Promise<PaymentDatabase>): () => PaymentDatabase {
  let database: PaymentDatabase;
  beforeAll(async () => {
    database = await create();
    const migrating = new PaymentTestBed(database.config);
    await migrating.open().store.migrate();
    await migrating.close();
  });
  afterAll(() => database.remove());
  return () => database;
}
