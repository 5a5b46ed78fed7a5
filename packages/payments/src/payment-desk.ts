import {
  type DuePayment,
  type Exclusive,
  type Logger,
  type NormaliseKey,
  type PaymentTaker,
  RuleError,
  type StorePaid,
  storedWithPayment,
} from '@messagebox/shared';
import { matchOutputs, type TransactionOutput } from './match-outputs.js';
import { type Payment, type PaymentOutput, parsePayment } from './parse-payment.js';
import type { PaymentReceiver } from './payment-receiver.js';
import {
  FinishedElsewhereError,
  type OpenPayment,
  type PaymentRecord,
  type PaymentRecords,
} from './payment-records.js';
import type { PaymentScripts } from './payment-scripts.js';

/** A payment's transaction after SPV (BRC-67). */
export interface VerifiedPayment {
  readonly txid: string;
  readonly outputs: readonly TransactionOutput[];
  /** AtomicBEEF with only what it needs. */
  readonly beef: Uint8Array;
}

export interface PaymentDeskParts {
  /** @throws {RuleError} `ERR_INVALID_PAYMENT`; anything else is worth another try */
  readonly verify: (beef: Uint8Array) => Promise<VerifiedPayment>;
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

/**
 * Takes payments for messages so that neither is lost without the other:
 *
 * 1. the payment is verified and written down, together with the messages;
 * 2. the server's output is received by its wallet, which does no harm twice;
 * 3. the messages are stored, in one transaction with the note that the payment is done.
 *
 * After an interruption the row is there and says so: the client's retry or {@link PaymentDesk.finishOpen} goes on. A
 * transaction pays once: for other messages it is refused for ever.
 */
export class PaymentDesk implements PaymentTaker {
  constructor(private readonly parts: PaymentDeskParts) {}

  async deliver(due: DuePayment, store: StorePaid): Promise<void> {
    const { verify, scripts, exclusive, records, normaliseKey } = this.parts;
    const payment = parsePayment(due.payment, normaliseKey);
    const verified = await verify(payment.tx);
    const recipients = due.messages.map(({ message, fee }) => ({ recipient: message.recipient, fee }));
    const matched = matchOutputs(
      payment.outputs,
      verified.outputs,
      { deliveryFee: due.deliveryFee, recipients },
      scripts,
    );
    this.#step('verified');
    const { server } = matched;
    const open: OpenPayment = {
      txid: verified.txid,
      sender: due.sender,
      covers: due.messages.map(({ message }) => [message.recipient, message.messageId]),
      beef: Buffer.from(verified.beef),
      serverOutput:
        server?.remittance === undefined
          ? undefined
          : { outputIndex: server.outputIndex, remittance: server.remittance },
      delivery: {
        liveBody: due.body,
        messages: due.messages.map(({ message }, i) => {
          const theirs = matched.recipients[i] ?? [];
          if (theirs.length === 0) return message;
          return { ...message, body: storedWithPayment(due.body, partOf(payment, verified, theirs)) };
        }),
      },
    };
    await exclusive.run(`payment ${open.txid}`, async () => {
      const known = await records.find(open.txid);
      if (known !== undefined && !isSame(known, open)) throw reused();
      if (known?.state === 'refused') throw refused(known.reason);
      if (known?.state === 'done') return;
      if (known === undefined) await records.begin(open, new Date());
      this.#step('recorded');
      await this.#finish(open, store);
    });
  }

  /**
   * Goes on with payments that were interrupted and whose sender has not come back.
   *
   * @param idleMs leave alone what is younger: somebody may be at it
   * @returns how many were finished
   */
  async finishOpen(store: StorePaid, idleMs: number): Promise<number> {
    const { records, exclusive, log } = this.parts;
    let finished = 0;
    for (const open of await records.open(new Date(Date.now() - idleMs), MOST_AT_ONCE)) {
      try {
        await exclusive.run(`payment ${open.txid}`, async () => {
          if ((await records.find(open.txid))?.state === 'taking') await this.#finish(open, store);
        });
        finished += 1;
        log.info({ txid: open.txid }, 'an interrupted payment was finished');
      } catch (error) {
        log.warn({ err: error, txid: open.txid }, 'an interrupted payment could not be finished yet');
      }
    }
    return finished;
  }

  async #finish(open: OpenPayment, store: StorePaid): Promise<void> {
    const { receiver, records } = this.parts;
    const outcome = await receiver.receive(open);
    if (outcome !== 'received') {
      await records.refuse(open.txid, outcome.refused, new Date());
      throw refused(outcome.refused);
    }
    this.#step('received');
    try {
      await store(open.delivery, (runner) => records.finish(runner, open.txid, new Date()));
    } catch (error) {
      if (!(error instanceof Error && error.cause instanceof FinishedElsewhereError)) throw error;
    }
    this.#step('stored');
  }

  #step(step: PaymentStep): void {
    this.parts.onStep?.(step);
  }
}

/** What a recipient finds beside the message: its own outputs and nobody else's. */
function partOf(payment: Payment, { beef }: VerifiedPayment, outputs: readonly PaymentOutput[]): object {
  return {
    tx: [...beef],
    outputs: outputs.map(({ given }) => given),
    ...(payment.description === undefined ? {} : { description: payment.description }),
    ...(payment.labels === undefined ? {} : { labels: payment.labels }),
  };
}

/** The same sender for the same messages, or for those of them that are not stored yet. */
function isSame(known: PaymentRecord, open: OpenPayment): boolean {
  const covered = new Set(known.covers.map((message) => JSON.stringify(message)));
  return known.sender === open.sender && open.covers.every((message) => covered.has(JSON.stringify(message)));
}

function reused(): RuleError {
  return new RuleError('ERR_PAYMENT_REUSED', 'This transaction has paid for other messages. Make a new payment.');
}

function refused(reason: string | undefined): RuleError {
  return new RuleError('ERR_INVALID_PAYMENT', `The network does not take the payment${reason ? `: ${reason}` : ''}.`);
}
