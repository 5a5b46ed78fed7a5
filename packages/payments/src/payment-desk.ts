import {
  type Alongside,
  Counts,
  type DuePayment,
  type Exclusive,
  type Logger,
  MessageIdTakenError,
  type NormaliseKey,
  type PaymentTaker,
  RuleError,
  type StorePaid,
  StoreUnavailableError,
  Turns,
} from '@messagebox/shared';
import { matchOutputs } from './match-outputs.js';
import { refuseTooLarge, storedBytes, unfold } from './paid-delivery.js';
import { type Payment, parsePayment } from './parse-payment.js';
import type { PaymentReceiver } from './payment-receiver.js';
import {
  type Covers,
  FinishedElsewhereError,
  type NewPayment,
  type OpenPayment,
  type PaymentRecord,
  type PaymentRecords,
} from './payment-records.js';
import type { PaymentScripts } from './payment-scripts.js';
import type { PaymentVerifier, VerifiedPayment } from './payment-verifier.js';

export interface PaymentDeskParts {
  readonly verifier: PaymentVerifier;
  readonly scripts: PaymentScripts;
  readonly receiver: PaymentReceiver;
  readonly records: PaymentRecords;
  readonly exclusive: Exclusive;
  readonly normaliseKey: NormaliseKey;
  readonly log: Logger;
  /** Called between the steps of a delivery, for tests that end the process there. */
  readonly onStep?: (step: PaymentStep) => void;
}

export type PaymentStep = 'verified' | 'recorded' | 'received' | 'stored';

/** How many unfinished payments one look takes up. */
const MOST_AT_ONCE = 20;
/** How many are written out for the store at once: each may be many times as large as its request. */
const MOST_UNFOLDED = 4;
/** How many repeats of one sender may be under way at once. */
const MOST_REPEATS = 16;
/** A payment that the network hasn't taken by then is given up. Its sender may try again. */
const LONGEST_TAKING_MS = 86_400_000;

/**
 * Takes payments for messages so that neither is lost without the other:
 *
 * 1. the payment is verified and written down, together with the messages;
 * 2. its transaction goes to the network and the server's output to the server's wallet, which does no harm twice;
 * 3. the messages are stored, in one transaction with the note that the payment is done.
 *
 * After an interruption the row is there and says so: the client's retry or {@link PaymentDesk.finishOpen} goes on with
 * what was written down. A transaction pays once: for other messages it is refused for ever, unless none of its own
 * could be stored.
 */
export class PaymentDesk implements PaymentTaker {
  readonly #unfolding = new Turns(MOST_UNFOLDED);
  /** By sender. */
  readonly #repeats = new Counts();

  constructor(private readonly parts: PaymentDeskParts) {}

  async deliver(due: DuePayment, store: StorePaid): Promise<void> {
    const { verifier, records, normaliseKey } = this.parts;
    const payment = parsePayment(due.payment, normaliseKey);
    const txid = await verifier.identify(payment.tx);
    // What is known is not verified again: what it had to pay is as it was written down, whatever is charged by now.
    const known = await records.find(txid);
    // At once: nobody is to wait in line for what is never theirs, and keep its sender waiting.
    if (known !== undefined && known.sender !== due.sender) throw reused();
    const prepared = known === undefined ? await this.#prepare(due, payment) : undefined;
    if (prepared !== undefined && !prepared.pays) {
      return this.#unfolded(prepared.open, store, async () => undefined);
    }
    const take = () =>
      this.#alone(txid, async () => {
        const open = await this.#takeUp(txid, due, store, async () => prepared ?? (await this.#prepare(due, payment)));
        if (open !== undefined) await this.#finish(open, store);
      });
    await (known === undefined ? take() : this.#repeat(due.sender, take));
  }

  /** Repeats go past the verifier and its bounds, and each may ask the network once more. */
  async #repeat(sender: string, work: () => Promise<void>): Promise<void> {
    if (this.#repeats.of(sender) >= MOST_REPEATS) {
      const description = 'Too many of your payments are under way. Send the same request again later.';
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', description, 503, {}, { limit: 'payment_repeats' });
    }
    const ended = this.#repeats.add(sender);
    try {
      await work();
    } finally {
      ended();
    }
  }

  async hasTaken(due: DuePayment): Promise<boolean> {
    const { verifier, records, normaliseKey } = this.parts;
    let txid: string;
    try {
      txid = await verifier.identify(parsePayment(due.payment, normaliseKey).tx);
    } catch (error) {
      if (error instanceof RuleError) return false;
      throw error;
    }
    const known = await records.find(txid);
    if (known === undefined || known.sender !== due.sender) return false;
    return ['taking', 'done', 'spare'].includes(known.state) && covers(known, coveredBy(due));
  }

  /**
   * Goes on with payments that were interrupted and whose sender has not come back.
   *
   * @param idleMs leave alone what is younger: somebody may be at it
   * @returns how many were finished
   * @throws {StoreUnavailableError}
   */
  async finishOpen(store: StorePaid, idleMs: number): Promise<number> {
    const { records, log } = this.parts;
    let finished = 0;
    for (const { txid, begunAt } of await records.open(new Date(), idleMs, MOST_AT_ONCE)) {
      try {
        await this.#alone(txid, async () => {
          const open = await records.findOpen(txid);
          if (open === undefined) return;
          await this.#finish(open, store);
          finished += 1;
          log.info({ txid }, 'an interrupted payment was finished');
        });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        log.warn({ txid, reason }, 'an interrupted payment could not be finished');
        const isOld = Date.now() - begunAt.getTime() > LONGEST_TAKING_MS;
        if (isOld && error instanceof RuleError && error.code === 'ERR_CHAIN_UNAVAILABLE') {
          await records.end({ txid, begunAt }, 'refused', 'the network has not taken it for a day', new Date());
        } else await records.touch(txid, new Date());
      }
    }
    return finished;
  }

  /** How many are written down and not finished. @throws {StoreUnavailableError} */
  countOpen(): Promise<number> {
    return this.parts.records.countOpen();
  }

  /** Verifies a payment against what is due. */
  async #prepare(due: DuePayment, payment: Payment): Promise<Prepared> {
    const { verifier } = this.parts;
    if (due.blocked !== undefined) throw due.blocked;
    const verified = await verifier.verify(payment.tx, due.sender);
    let prepared: Prepared;
    try {
      prepared = this.#match(due, payment, verified);
    } catch (error) {
      verifier.report(due.sender, 'useless', verified.cost);
      throw error;
    }
    await due.admit?.(storedBytes(verified.beef, prepared.open.delivery));
    this.#step('verified');
    return prepared;
  }

  /** What a verified payment does for what is due. */
  #match(due: DuePayment, payment: Payment, verified: VerifiedPayment): Prepared {
    const { scripts, receiver } = this.parts;
    const recipients = due.messages.map(({ message: { recipient }, fee, isStored }) => ({ recipient, fee, isStored }));
    const matched = matchOutputs(payment.outputs, verified.outputs, { ...due, recipients }, scripts);
    const { server, pays } = matched;
    if (server !== undefined && !receiver.hasWallet) throw noWallet();
    const delivery = {
      messageBox: due.messages[0]?.message.messageBox ?? '',
      body: due.body,
      messages: due.messages.flatMap(({ message: { recipient, messageId }, isStored }, i) =>
        isStored ? [] : [{ recipient, messageId, outputs: (matched.recipients[i] ?? []).map(({ given }) => given) }],
      ),
      ...(payment.description === undefined ? {} : { description: payment.description }),
      ...(payment.labels === undefined ? {} : { labels: payment.labels }),
    };
    refuseTooLarge(verified.beef, delivery);
    const serverOutput = server && { outputIndex: server.outputIndex, remittance: server.remittance };
    const { txid, beef } = verified;
    return { pays, open: { txid, sender: due.sender, covers: coveredBy(due), beef, serverOutput, delivery } };
  }

  /**
   * Writes a payment down, or finds it written down.
   *
   * @returns undefined when it is done
   */
  async #takeUp(
    txid: string,
    due: DuePayment,
    store: StorePaid,
    prepare: () => Promise<Prepared>,
  ): Promise<OpenPayment | undefined> {
    const { records } = this.parts;
    const known = await records.find(txid);
    if (known === undefined) {
      const { open } = await prepare();
      const begunAt = new Date();
      if (!(await records.begin(open, begunAt))) return this.#takeUp(txid, due, store, prepare);
      this.#step('recorded');
      return { ...open, begunAt };
    }
    const { state } = known;
    if (known.sender !== due.sender) throw reused();
    const isSame = covers(known, coveredBy(due));
    if (isSame && state === 'taking') return records.findOpen(txid);
    if (isSame && (state === 'done' || state === 'spare')) return undefined;
    if (state === 'done') throw reused();
    if (state === 'taking') {
      await this.#finishForOthers(txid, store);
      return this.#takeUp(txid, due, store, prepare);
    }
    // Unused, spare, or refused: what the network didn't want once may be in a block by now.
    const { open } = await prepare();
    const begunAt = new Date();
    if (!(await records.beginAgain(open, begunAt))) return this.#takeUp(txid, due, store, prepare);
    this.#step('recorded');
    return { ...open, begunAt };
  }

  /** Only afterwards is it known whether the payment is there for other messages. */
  async #finishForOthers(txid: string, store: StorePaid): Promise<void> {
    const open = await this.parts.records.findOpen(txid);
    if (open === undefined) return;
    try {
      await this.#finish(open, store);
    } catch (error) {
      if (!(error instanceof RuleError && error.code === 'ERR_DUPLICATE_MESSAGE')) throw error;
    }
  }

  async #finish(open: OpenPayment, store: StorePaid): Promise<void> {
    const { receiver, records, verifier } = this.parts;
    const { txid, sender } = open;
    try {
      const outcome = await receiver.receive(open);
      verifier.report(sender, outcome === 'received' ? 'useful' : 'useless', 0);
      if (outcome !== 'received') {
        await records.end(open, 'refused', outcome.refused, new Date());
        throw refused(outcome.refused);
      }
      this.#step('received');
      await this.#store(open, store);
      this.#step('stored');
    } catch (error) {
      await records.touch(txid, new Date()).catch(() => undefined);
      throw error;
    }
  }

  async #store(open: OpenPayment, store: StorePaid): Promise<void> {
    const { records } = this.parts;
    try {
      await this.#unfolded(open, store, (runner, stored) =>
        records.settle(runner, open, stored.length > 0 ? 'done' : 'spare', new Date()),
      );
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.cause instanceof FinishedElsewhereError) {
        return this.#assertDone(open);
      }
      if (!(error instanceof MessageIdTakenError)) throw error;
      await records.end(open, 'unused', 'a message id was taken', new Date());
      throw idTaken();
    }
  }

  #unfolded({ sender, beef, delivery }: NewPayment, store: StorePaid, alongside: Alongside): Promise<void> {
    return this.#unfolding.run(() => store(unfold(sender, beef, delivery), alongside));
  }

  /** Somebody else has finished it, because a lock was lost: one way or another, and perhaps begun it for other messages. */
  async #assertDone({ txid, covers: messages }: OpenPayment): Promise<void> {
    const known = await this.parts.records.find(txid);
    if (known?.state === 'refused') throw refused(known.reason);
    if (known?.state === 'unused') throw idTaken();
    if (known?.state === 'taking')
      throw new StoreUnavailableError(new Error(`Payment ${txid} is under way elsewhere.`));
    if (known !== undefined && !covers(known, messages)) throw reused();
  }

  /** @throws {StoreUnavailableError} when the lock could not be had, and what `work` throws */
  async #alone<T>(txid: string, work: () => Promise<T>): Promise<T> {
    let begun = false;
    try {
      return await this.parts.exclusive.run(`payment ${txid}`, () => {
        begun = true;
        return work();
      });
    } catch (error) {
      throw begun ? error : new StoreUnavailableError(error);
    }
  }

  #step(step: PaymentStep): void {
    this.parts.onStep?.(step);
  }
}

interface Prepared {
  readonly open: NewPayment;
  /** Whether anybody is paid. Else nothing is written down: a stranger could use up what somebody else pays with. */
  readonly pays: boolean;
}

function coveredBy({ messages }: DuePayment): [string, string, string][] {
  return messages.map(({ message: { recipient, messageBox, messageId } }) => [recipient, messageBox, messageId]);
}

/** Whether the payment was for these messages. */
function covers(known: PaymentRecord, messages: Covers): boolean {
  const covered = new Set(known.covers.map((message) => JSON.stringify(message)));
  return messages.every((message) => covered.has(JSON.stringify(message)));
}

function reused(): RuleError {
  return new RuleError('ERR_PAYMENT_REUSED', 'This transaction has paid for other messages. Make a new payment.');
}

function refused(reason: string | undefined): RuleError {
  return new RuleError('ERR_INVALID_PAYMENT', `The network does not take the payment${reason ? `: ${reason}` : ''}.`);
}

function noWallet(): RuleError {
  const description = 'This server has no wallet to take delivery fees with. Nothing was taken.';
  return new RuleError('ERR_PAYMENT_NOT_SUPPORTED', description);
}

function idTaken(): RuleError {
  return new RuleError(
    'ERR_DUPLICATE_MESSAGE',
    'The recipient has got another message with this messageId meanwhile. Choose another id and send the same payment along: it has not been used.',
  );
}
