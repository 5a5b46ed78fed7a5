import type { NewMessage, PushOutbox, TransactionHook } from '@messagebox/store';

/** Messages in this box are pushed to their recipient's devices. */
export const NOTIFICATIONS_BOX = 'notifications';

/**
 * Writes the rows of the push outbox for messages that are stored. A send does no more for devices, so a failed push never
 * makes a send fail.
 */
export interface PushOutboxWriter {
  /** The writes in the transaction that stores these messages; undefined when none of them is pushed. */
  createTransactionHook(messages: readonly NewMessage[]): TransactionHook | undefined;
  /** Signals that rows were committed. Returns at once and never throws. It is only a hint: workers also poll the outbox. */
  notifyCommitted(): void;
}

/**
 * Creates a writer.
 *
 * @param notify called after each commit; must not throw
 * @param getTraceparent the trace of the running send, which its pushes belong to; undefined when nothing is traced
 */
export function createPushOutboxWriter(
  outbox: PushOutbox,
  notify: () => void,
  getTraceparent: () => string | undefined = () => undefined,
): PushOutboxWriter {
  const isPushed = ({ messageBox }: NewMessage) => messageBox === NOTIFICATIONS_BOX;
  return {
    createTransactionHook: (messages) =>
      messages.some(isPushed)
        ? (runner, stored) => outbox.add(runner, stored.filter(isPushed), Date.now(), getTraceparent())
        : undefined,
    notifyCommitted: notify,
  };
}
