import type { NewMessage, PushOutbox, TransactionHook } from '@messagebox/store';
import { DEFAULT_PUSH_BOXES, type PushBox } from './push-boxes.js';

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

/** The options of {@link createPushOutboxWriter}. */
export interface PushOutboxWriterOptions {
  /** Messages in these boxes are pushed, unless they are silent. */
  readonly boxes?: readonly PushBox[];
  /** The trace of the running send, which its pushes belong to; undefined when nothing is traced. */
  readonly getTraceparent?: () => string | undefined;
}

/**
 * Creates a writer.
 *
 * @param notify called after each commit; must not throw
 */
export function createPushOutboxWriter(
  outbox: PushOutbox,
  notify: () => void,
  { boxes = DEFAULT_PUSH_BOXES, getTraceparent = () => undefined }: PushOutboxWriterOptions = {},
): PushOutboxWriter {
  const names: ReadonlySet<string> = new Set(boxes.map(({ messageBox }) => messageBox));
  const isPushed = ({ messageBox, isSilent }: NewMessage) => isSilent !== true && names.has(messageBox);
  return {
    createTransactionHook: (messages) =>
      messages.some(isPushed)
        ? (runner, stored) => outbox.add(runner, stored.filter(isPushed), Date.now(), getTraceparent())
        : undefined,
    notifyCommitted: notify,
  };
}
