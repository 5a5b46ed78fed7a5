import type { DeliveryProblem } from './delivery-problem.js';

/**
 * A connection, as its parts see it. All parts have this one object instead of callbacks of their own, because an idle
 * connection is mostly memory.
 */
export interface SocketOwner {
  /** Closes the connection, so that the client reconnects and lists what it has missed. */
  closeUndelivered(problem: DeliveryProblem): void;
  /** Resolves when `bytes` more of a large frame may be read. */
  waitForReadTurn(bytes: number): Promise<void>;
}
