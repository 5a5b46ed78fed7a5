import {
  type PriceReference,
  priceUsedError,
  type ReceivedPrice,
  type RequestPayment,
  RuleError,
} from '@messagebox/messages';
import { errorMessage, KeyedCounter, type Logger } from '@messagebox/shared';
import { LockUnavailableError, type NamedLock, StoreUnavailableError } from '@messagebox/store';
import { tooManyRetriesError } from './payment-errors.js';
import type { PaymentReceiver } from './payment-receiver.js';
import type { PaymentScripts } from './payment-scripts.js';
import type { PaymentVerifier, UnverifiedPayment } from './payment-verifier.js';
import { invalidPrefixError, paymentFailedError, paymentRequiredError, priceTooLowError } from './price-errors.js';
import { type PriceHeader, parsePriceHeader } from './price-header.js';
import type { PriceOffer, PricePrefixes } from './price-prefixes.js';
import { type PendingPrice, type PriceRecord, type PriceStore, PriceUsedError } from './price-store.js';

/** The steps of a payment for a request. */
export type PriceStep = 'price verified' | 'price recorded' | 'price received' | 'price settled' | 'price held';

export interface PricePaymentsOptions {
  readonly prefixes: PricePrefixes;
  readonly verifier: PaymentVerifier;
  readonly scripts: Pick<PaymentScripts, 'derivePriceScript'>;
  readonly receiver: Pick<PaymentReceiver, 'receive'>;
  readonly records: PriceStore;
  readonly exclusive: NamedLock;
  readonly log: Logger;
  /** Called after each step, for tests that end the process there. */
  readonly onStep?: ((step: PriceStep) => void) | undefined;
}

/** The parts of an HTTP request that a payment for it depends on. */
export interface PayableRequest {
  /** Identity key of the verified session. */
  readonly sender: string;
  /** The digest of sender, method, target and body: 32 bytes. */
  readonly digest: Uint8Array;
  /** Bytes of the body. */
  readonly bytes: number;
  /** The header `x-bsv-payment`, unchecked; undefined without one. */
  readonly header: string | undefined;
}

/** The payment of one HTTP request. */
export interface HttpRequestPayment extends RequestPayment {
  /** Satoshis that the request has paid. Undefined while it has paid none. */
  readonly satoshisPaid: number | undefined;
}

/** A payment may be made as long as this after its price was asked for: a wallet may ask its owner first. */
const PREFIX_LIFETIME_MS = 86_400_000;
/** Payments that are recorded are not verified again, and each may ask the network once more. */
const MAX_RETRIES_PER_SENDER = 16;
/** Pending payments that one run of the recovery looks at. */
const RECOVERY_BATCH_SIZE = 20;
/** A payment that the network has not accepted by then is given up. Its payer may try again. */
const MAX_PENDING_MS = 86_400_000;

/**
 * Takes payments for requests (BRC-105), so that none is taken twice or for nothing:
 *
 * 1. The payment is verified: it is derived with a prefix that this server has made for the caller, its first output pays
 *    this server, and suffices. A refused one leaves no trace.
 * 2. It is recorded, and then given to the network and the server's wallet. Both can be repeated.
 * 3. It is used up in the transaction that stores what it has paid for. Until then it is a credit: its payer may repeat the
 *    request, or use it for another one.
 */
export class PricePayments {
  /** Retries in progress, by sender. */
  readonly #retries = new KeyedCounter();

  constructor(private readonly options: PricePaymentsOptions) {}

  /** Opens the payment of a request. Nothing is parsed yet. */
  open(request: PayableRequest): HttpRequestPayment {
    return new OpenRequestPayment(request, this.options, (work) => this.#withRetryLimit(request.sender, work));
  }

  /**
   * Receives payments that were interrupted and whose payer has not come back.
   *
   * @param idleMs younger ones are left alone, because a request may be working on them
   * @returns how many were received
   * @throws {StoreUnavailableError}
   */
  async resumePending(idleMs: number): Promise<number> {
    const { records, log } = this.options;
    let received = 0;
    for (const { txid, startedAt } of await records.listPending(new Date(), idleMs, RECOVERY_BATCH_SIZE)) {
      try {
        await withPriceLock(this.options, txid, async () => {
          const pending = await records.findPending(txid);
          if (pending !== undefined) await receivePending(this.options, pending);
        });
        received += 1;
        log.info({ txid }, 'an interrupted payment for a request was received');
      } catch (error) {
        log.warn({ txid, reason: errorMessage(error) }, 'an interrupted payment for a request could not be received');
        const isOld = Date.now() - startedAt.getTime() > MAX_PENDING_MS;
        if (isOld && error instanceof RuleError && error.code === 'ERR_CHAIN_UNAVAILABLE') {
          await records.refuse(txid, 'the network has not accepted it for a day', new Date());
        } else await records.touch(txid, new Date());
      }
    }
    return received;
  }

  async #withRetryLimit<T>(sender: string, work: () => Promise<T>): Promise<T> {
    if (this.#retries.get(sender) >= MAX_RETRIES_PER_SENDER) throw tooManyRetriesError();
    const decrement = this.#retries.increment(sender);
    try {
      return await work();
    } finally {
      decrement();
    }
  }
}

/** A payment header whose transaction was parsed. */
interface OpenedPayment {
  readonly header: PriceHeader;
  readonly offer: PriceOffer;
  readonly unverified: UnverifiedPayment;
}

class OpenRequestPayment implements HttpRequestPayment {
  #opened: Promise<OpenedPayment> | undefined;
  #satoshisPaid: number | undefined;
  /** The refusal when another request has used the payment. */
  #createUsedError: () => RuleError = priceUsedError;

  constructor(
    private readonly request: PayableRequest,
    private readonly options: PricePaymentsOptions,
    private readonly withRetryLimit: <T>(work: () => Promise<T>) => Promise<T>,
  ) {}

  get requestBytes(): number {
    return this.request.bytes;
  }

  get satoshisPaid(): number | undefined {
    return this.#satoshisPaid;
  }

  async isServed(): Promise<boolean> {
    if (this.request.header === undefined) return false;
    let txid: string;
    try {
      txid = (await this.#open()).unverified.txid;
    } catch (error) {
      if (error instanceof RuleError) return false;
      throw error;
    }
    const known = await this.options.records.find(txid);
    if (known?.sender !== this.request.sender || known.state !== 'used' || !this.#isOfThisRequest(known)) return false;
    this.#satoshisPaid = known.satoshis;
    return true;
  }

  async receive(satoshis: number): Promise<ReceivedPrice> {
    const { records } = this.options;
    const { sender, digest, header } = this.request;
    if (header === undefined) return this.#useCredit(satoshis);
    const opened = await this.#open();
    const { offer, unverified } = opened;
    // The price may have risen since the client was asked for it.
    const due = offer.isFor(digest) ? Math.min(offer.satoshis, satoshis) : satoshis;
    const known = await records.find(unverified.txid);
    if (known !== undefined && known.sender !== sender) throw priceUsedError();
    const take = () => this.#take(opened, due);
    const record = known === undefined ? await take() : isReceived(known) ? known : await this.withRetryLimit(take);
    if (record.state !== 'paid' && !this.#isOfThisRequest(record)) throw priceUsedError();
    if (record.satoshis < due) throw priceTooLowError(due, record.satoshis);
    this.#satoshisPaid = record.satoshis;
    return this.#createReceived(unverified.txid);
  }

  async findUseConflict(error: unknown): Promise<'served' | RuleError | undefined> {
    const isRefusal = error instanceof RuleError && error.code === 'ERR_PAYMENT_REUSED';
    if (!isRefusal && !(error instanceof StoreUnavailableError && error.cause instanceof PriceUsedError))
      return undefined;
    if (await this.isServed()) return 'served';
    return isRefusal ? error : this.#createUsedError();
  }

  /**
   * Uses what the payer has paid for an earlier request that was refused or lost. A client that has missed its answer makes a
   * new request, and does not know of the payment any more. Only the exact amount is used: nothing of a credit is lost.
   */
  async #useCredit(satoshis: number): Promise<ReceivedPrice> {
    const txid = await this.options.records.findCredit(this.request.sender, satoshis);
    this.#createUsedError = () => this.#createRequiredError(satoshis);
    if (txid === undefined) throw this.#createRequiredError(satoshis);
    this.#satoshisPaid = satoshis;
    return this.#createReceived(txid);
  }

  #createRequiredError(satoshis: number): RuleError {
    const { sender, digest } = this.request;
    const prefix = this.options.prefixes.create({ sender, request: digest, satoshis, now: new Date() });
    return paymentRequiredError(satoshis, prefix);
  }

  #createReceived(txid: string): ReceivedPrice {
    const { records, onStep } = this.options;
    const reference: PriceReference = { txid, request: toHex(this.request.digest) };
    return {
      use: (runner) => records.use(runner, reference, new Date()),
      hold: async () => {
        if (!(await records.hold(reference, new Date()))) throw this.#createUsedError();
        onStep?.('price held');
        return reference;
      },
      useForReading: async () => {
        if (await records.useForReading(reference, new Date())) return;
        throw this.#createUsedError();
      },
    };
  }

  /** Records the payment if it is new, and receives it. */
  #take({ header, offer, unverified }: OpenedPayment, due: number): Promise<PriceRecord> {
    const { records, onStep } = this.options;
    const { txid } = unverified;
    return withPriceLock(this.options, txid, async () => {
      // Begins again when another instance has changed the record in between, which takes a lost lock.
      for (;;) {
        const known = await records.find(txid);
        if (known !== undefined && known.sender !== this.request.sender) throw priceUsedError();
        if (known !== undefined && isReceived(known)) return known;
        let pending = known?.state === 'taking' ? await records.findPending(txid) : undefined;
        if (pending === undefined) {
          if (known === undefined) assertNotExpired(offer);
          const verified = await this.#verify(header, unverified, due);
          onStep?.('price verified');
          if (!(await records.insertPending(verified, new Date()))) continue;
          onStep?.('price recorded');
          pending = verified;
        }
        await receivePending(this.options, pending);
        const { sender, satoshis } = pending;
        return { sender, satoshis, state: 'paid', request: undefined, uses: 0 };
      }
    });
  }

  /** Verifies the transaction, and that its first output pays the price to this server. */
  async #verify(header: PriceHeader, unverified: UnverifiedPayment, due: number): Promise<PendingPrice> {
    const { verifier, scripts } = this.options;
    const { sender } = this.request;
    const { txid, outputs, beef, cost } = await asPriceErrors(() => unverified.verify(sender));
    const [output] = outputs;
    const { derivationPrefix, derivationSuffix } = header;
    const remittance = { derivationPrefix, derivationSuffix, senderIdentityKey: sender };
    const isOurs = output !== undefined && Buffer.compare(output.script, scripts.derivePriceScript(remittance)) === 0;
    if (!isOurs || output.satoshis < due) {
      verifier.report(sender, 'useless', cost);
      throw isOurs
        ? priceTooLowError(due, output.satoshis)
        : paymentFailedError('The first output of the payment does not pay this server.');
    }
    return { txid, sender, satoshis: output.satoshis, beef, serverOutput: { outputIndex: 0, remittance } };
  }

  #open(): Promise<OpenedPayment> {
    this.#opened ??= this.#parse();
    return this.#opened;
  }

  async #parse(): Promise<OpenedPayment> {
    const { prefixes, verifier } = this.options;
    const header = parsePriceHeader(this.request.header ?? '');
    const offer = prefixes.open(header.derivationPrefix, this.request.sender);
    if (offer === undefined) throw invalidPrefixError('was not made by this server for you');
    const unverified = await asPriceErrors(() => verifier.parse(header.transaction));
    return { header, offer, unverified };
  }

  #isOfThisRequest({ request }: PriceRecord): boolean {
    return request === toHex(this.request.digest);
  }
}

/** Gives a recorded payment to the network and the wallet. */
async function receivePending(options: PricePaymentsOptions, pending: PendingPrice): Promise<void> {
  const { receiver, records, verifier, onStep } = options;
  const { txid, sender } = pending;
  try {
    const outcome = await receiver.receive(pending);
    verifier.report(sender, outcome === 'received' ? 'useful' : 'useless', 0);
    if (outcome !== 'received') {
      await records.refuse(txid, outcome.refused, new Date());
      throw paymentFailedError(`The network does not accept the payment: ${outcome.refused}.`);
    }
    onStep?.('price received');
    await records.markReceived(txid, new Date());
    onStep?.('price settled');
  } catch (error) {
    await records.touch(txid, new Date()).catch(() => undefined);
    throw error;
  }
}

async function withPriceLock<T>({ exclusive }: PricePaymentsOptions, txid: string, work: () => Promise<T>): Promise<T> {
  try {
    return await exclusive.withLock(`price ${txid}`, work);
  } catch (error) {
    throw error instanceof LockUnavailableError ? new StoreUnavailableError(error) : error;
  }
}

/** The verifier's refusals are about a message's payment, and clients tell them apart by the code. */
async function asPriceErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof RuleError && error.code === 'ERR_INVALID_PAYMENT'
      ? paymentFailedError(error.description)
      : error;
  }
}

function assertNotExpired({ issuedAt }: PriceOffer): void {
  if (Date.now() - issuedAt.getTime() <= PREFIX_LIFETIME_MS) return;
  throw invalidPrefixError('has expired. Send the request without a payment to get a new one');
}

function isReceived({ state }: PriceRecord): boolean {
  return state === 'paid' || state === 'held' || state === 'used';
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
