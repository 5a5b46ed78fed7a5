import {
  type DeliverMessagesOptions,
  type DeliverPaidMessages,
  deliverMessages,
  RuleError,
} from '@messagebox/messages';
import { type Logger, type Metrics, runPeriodically, type ShutdownHooks } from '@messagebox/shared';
import type { PaymentStore } from './payment-store.js';
import type { Settlement } from './settlement.js';

/** How many pending payments one run of the recovery looks at. */
const RECOVERY_BATCH_SIZE = 20;
/** A payment that the network has not accepted by then is given up. Its sender may try again. */
const MAX_PENDING_MS = 86_400_000;
const GIVEN_UP_CODES: readonly string[] = ['ERR_CHAIN_UNAVAILABLE', 'ERR_UPLOAD_NOT_FOUND', 'ERR_UPLOADS_DISABLED'];
const RECOVERY_INTERVAL_MS = 30_000;
const MIN_IDLE_MS = 60_000;

export interface ResumePendingOptions {
  readonly records: PaymentStore;
  readonly settlement: Settlement;
  readonly log: Logger;
}

/**
 * Settles payments that were interrupted and whose sender has not come back.
 *
 * @param idleMs younger payments are left alone, because a request may be working on them
 * @returns how many were settled
 * @throws {StoreUnavailableError}
 */
export async function resumePendingPayments(
  { records, settlement, log }: ResumePendingOptions,
  idleMs: number,
): Promise<number> {
  let settled = 0;
  for (const { txid, startedAt } of await records.listPending(new Date(), idleMs, RECOVERY_BATCH_SIZE)) {
    try {
      if (!(await settlement.settlePending(txid))) continue;
      settled += 1;
      log.info({ txid }, 'an interrupted payment was finished');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ txid, reason }, 'an interrupted payment could not be finished');
      const isOld = Date.now() - startedAt.getTime() > MAX_PENDING_MS;
      if (isOld && error instanceof RuleError && GIVEN_UP_CODES.includes(error.code)) {
        await records.end({ txid, startedAt }, 'refused', 'the network has not accepted it for a day', new Date());
      } else await records.touch(txid, new Date());
    }
  }
  return settled;
}

/** The part of `PaymentService` that the recovery uses. */
export interface RecoverablePayments {
  resumePending(deliverPaid: DeliverPaidMessages, idleMs: number): Promise<number>;
  countPending(): Promise<number>;
}

export interface PaymentRecoveryOptions extends DeliverMessagesOptions {
  readonly payments: RecoverablePayments;
  /** Payments for requests. Undefined: requests have no price. */
  readonly pricePayments?: { resumePending(idleMs: number): Promise<number> } | undefined;
  readonly shutdown: ShutdownHooks;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds between two runs. Default: 30 s. */
  readonly intervalMs?: number;
  /** Milliseconds without an attempt before a payment is resumed. Default: 60 s, by when a request has lost its client. */
  readonly idleMs?: number;
}

/** Settles interrupted payments at regular intervals, until `shutdown` closes. The first run starts at once. */
export function startPaymentRecovery(options: PaymentRecoveryOptions): void {
  const { payments, shutdown, log, metrics, intervalMs = RECOVERY_INTERVAL_MS, idleMs = MIN_IDLE_MS } = options;
  let pendingCount = 0;
  metrics.addGauge('messagebox_payments_open', 'Payments that are recorded and not settled.', () => pendingCount);
  const recover = async () => {
    await payments.resumePending(
      (delivery, withinTransaction) => deliverMessages(options, delivery, withinTransaction),
      idleMs,
    );
    await options.pricePayments?.resumePending(idleMs);
    pendingCount = await payments.countPending();
  };
  const task = runPeriodically(intervalMs, recover, { log, name: 'payment recovery' });
  shutdown.add('payments', () => task.close());
  void task.runNow();
}
