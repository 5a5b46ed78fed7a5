import { randomBytes } from 'node:crypto';
import { PrivateKey } from '@bsv/sdk';
import {
  createLogger,
  type DeliverParts,
  deliver,
  Exclusive,
  fixed,
  type MessageStore,
  openDatabase,
  PushOutbox,
  pushNotes,
  RuleError,
  type SendAnswer,
  type SendParts,
  type SqlClient,
  StorageQuotas,
  type StoreConfig,
  StoredUsage,
  send,
} from '@messagebox/shared';
import { described, type Paid, pay } from '../../../../tests/support/brc29.ts';
import { PaymentDesk, type PaymentStep } from '../../src/payment-desk.js';
import type { PaymentReceiver } from '../../src/payment-receiver.js';
import { PaymentRecords } from '../../src/payment-records.js';
import type { PaymentVerifier } from '../../src/payment-verifier.js';
import { publicKeyOf, scriptsOf } from './paying.js';

const serverKey = PrivateKey.fromRandom();
export const SERVER = publicKeyOf(serverKey);
export const newKey = () => publicKeyOf(PrivateKey.fromRandom());

/** What senders have made, as if it had been verified: a transaction is named by its first 32 bytes. */
export class Mint implements PaymentVerifier {
  readonly #made = new Map<string, readonly Paid['output'][]>();
  /** What the next verifications throw. */
  failure: Error | undefined;

  /** `payment` of a request that pays these, in this order. */
  async payment(...payees: (readonly [string, number])[]) {
    const txid = randomBytes(32);
    const paid = await Promise.all(payees.map(([payee, satoshis]) => pay(payee, satoshis, 'anyone')));
    this.#made.set(
      txid.toString('hex'),
      paid.map(({ output }) => output),
    );
    const outputs = paid.map((one, i) => described(one, i));
    return { tx: [...txid, 7, 7], outputs, description: 'a message to pay for' };
  }

  async identify(beef: Uint8Array): Promise<string> {
    return Buffer.from(beef.subarray(0, 32)).toString('hex');
  }

  async verify(beef: Uint8Array) {
    if (this.failure !== undefined) throw this.failure;
    const txid = await this.identify(beef);
    const outputs = this.#made.get(txid);
    if (outputs === undefined) throw new RuleError('ERR_INVALID_PAYMENT', 'Nobody has made this.');
    return { txid, outputs, beef: beef.subarray(0, 33), cost: 0 };
  }

  report(): void {}
}

/** The network and the server's wallet. */
export class Till implements PaymentReceiver {
  hasWallet = true;
  /** Calls, in their order. */
  readonly asked: string[] = [];
  /** What is in the wallet: received twice is there once. */
  readonly received = new Set<string>();
  /** Happens before anything is received. */
  before: () => Promise<unknown> = async () => undefined;
  refusal: string | undefined;

  async receive({ txid }: { txid: string }): Promise<'received' | { refused: string }> {
    this.asked.push(txid);
    await this.before();
    if (this.refusal !== undefined) return { refused: this.refusal };
    this.received.add(txid);
    return 'received';
  }
}

/** A server as far as payments reach: the real rule, store, records and locks; network and wallet are pretended. */
export class DeskWorld {
  readonly mint = new Mint();
  readonly till = new Till();
  readonly published: string[] = [];
  readonly fees = new Map<string, number>();
  deliveryFee = 10;
  /** Of an inbox. */
  quota = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  onStep: (step: PaymentStep) => void = () => undefined;
  readonly #opened: Server[] = [];

  constructor(private readonly config: StoreConfig) {}

  /**
   * One process: with a pool of connections, and a desk, of its own.
   *
   * @param locks false: as if the database had cut the connection that has its locks
   */
  open({ poolSize = 10, locks = true } = {}): Server {
    const server = new Server(this, openDatabase({ ...this.config, poolSize }), locks);
    this.#opened.push(server);
    return server;
  }

  async close(): Promise<void> {
    for (const server of this.#opened.splice(0)) await server.store.close();
  }
}

export class Server {
  readonly store: MessageStore;
  readonly records: PaymentRecords;
  readonly desk: PaymentDesk;
  readonly parts: SendParts & DeliverParts;
  readonly #sql: SqlClient;

  constructor(world: DeskWorld, { messages, sql }: ReturnType<typeof openDatabase>, locks: boolean) {
    this.store = messages;
    this.#sql = sql;
    this.records = new PaymentRecords(sql);
    const normaliseKey = (key: string) => (/^0[23][0-9a-f]{64}$/.test(key) ? key : undefined);
    this.desk = new PaymentDesk({
      verifier: world.mint,
      receiver: world.till,
      scripts: scriptsOf(serverKey),
      records: this.records,
      exclusive: locks ? new Exclusive(sql) : unlocked,
      normaliseKey,
      log: createLogger('test', false, { write: () => undefined }),
      onStep: (step) => world.onStep(step),
    });
    const none = { messages: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
    const limits = { inbox: world.quota, sender: none, pair: none };
    this.parts = {
      store: this.store,
      permissions: {
        decisions: async (recipients) =>
          new Map(recipients.map((one) => [one, { forSender: world.fees.get(one) ?? 0, boxWide: undefined }])),
      },
      deliveryFees: { feeFor: async () => world.deliveryFee },
      events: {
        publish: ({ recipient, messageId, body }) => void world.published.push(`${recipient} ${messageId} ${body}`),
      },
      push: pushNotes(new PushOutbox(sql), () => undefined),
      quotas: new StorageQuotas({ limits, usage: new StoredUsage(sql) }),
      payments: this.desk,
      normaliseKey,
      maxRecipients: 1_000,
    };
  }

  send(sender: string, message: object, payment?: object): Promise<SendAnswer> {
    return send(this.parts, sender, { message: { messageBox: 'notifications', body: 'hello', ...message }, payment });
  }

  /** The code by which a send is refused. */
  async refusal(...args: Parameters<Server['send']>): Promise<string> {
    const error = await this.send(...args).catch((thrown: unknown) => thrown);
    if (error instanceof RuleError) return error.code;
    if (error instanceof Error) return error.name;
    return 'nothing';
  }

  /**
   * As the regular look does it, at payments that nobody has touched for so long. Unless it is said how long, hours pass
   * before, so that none is too young.
   */
  async finishOpen(idleMs?: number): Promise<number> {
    if (idleMs === undefined) {
      const hours = 2 * 3_600_000;
      const pass = fixed('UPDATE payments SET created_at = created_at - ?, updated_at = updated_at - ?');
      await this.#sql.write(pass, [hours, hours]);
      idleMs = 60_000;
    }
    return await this.desk.finishOpen((delivery, alongside) => deliver(this.parts, delivery, alongside), idleMs);
  }

  async list(recipient: string, messageBox = 'notifications') {
    return (await this.store.listMessages({ recipient, messageBox, maxBytes: 1e8 })).messages;
  }

  async state({ tx }: { readonly tx: readonly number[] }): Promise<string | undefined> {
    return (await this.records.find(Buffer.from(tx.slice(0, 32)).toString('hex')))?.state;
  }

  /** As if it had been begun so long ago, and nobody had touched it for so long. */
  async age({ tx }: { readonly tx: readonly number[] }, ageMs: number, untouchedMs = ageMs): Promise<void> {
    const now = Date.now();
    await this.#sql.write(fixed('UPDATE payments SET created_at = ?, updated_at = ? WHERE txid = ?'), [
      now - ageMs,
      now - untouchedMs,
      Buffer.from(tx.slice(0, 32)),
    ]);
  }

  /** How many pushes wait. */
  async pushes(): Promise<number> {
    return await new PushOutbox(this.#sql).size(1_000);
  }
}

const unlocked = { run: (_name: string, work: () => Promise<unknown>) => work() } as unknown as Exclusive;

/** A database for a suite of desks, and how it goes. */
export interface DeskDatabase {
  readonly config: StoreConfig;
  remove(): Promise<void>;
}

/** Makes the database with its tables before a suite's tests, and removes it after them. @returns it, once it is there */
export function deskDatabase(create: () => Promise<DeskDatabase>): () => DeskDatabase {
  let database: DeskDatabase;
  beforeAll(async () => {
    database = await create();
    const migrating = new DeskWorld(database.config);
    await migrating.open().store.migrate();
    await migrating.close();
  });
  afterAll(() => database.remove());
  return () => database;
}
