import type { Alongside, NewMessage, PushOutbox } from '../store/index.js';

/** Messages in this box are announced to their recipient's devices. */
export const PUSHED_BOX = 'notifications';

/**
 * What the send rule does for devices: it leaves a note beside each message that it stores, and tells that it has done so.
 * Sending waits for nothing else, and a push that fails never fails a send.
 */
export interface PushNotes {
  /** What is written in the transaction that stores these messages; undefined when none of them is to be pushed. */
  alongside(messages: readonly NewMessage[]): Alongside | undefined;
  /** Notes have been committed. A hint: returns at once and never throws; who misses it looks by itself soon. */
  committed(): void;
}

/** Notes in the outbox; `wake` is called after each commit. */
export function pushNotes(outbox: PushOutbox, wake: () => void): PushNotes {
  const isPushed = ({ messageBox }: NewMessage) => messageBox === PUSHED_BOX;
  return {
    alongside: (messages) =>
      messages.some(isPushed) ? (runner, stored) => outbox.add(runner, stored.filter(isPushed)) : undefined,
    committed: wake,
  };
}
