import type { Connection } from 'mysql2';

/** Below the time that a call waits for a connection, so that it can still open a new one. */
const PROBE_TIMEOUT_MS = 2_000;
/** Above the pauses between the statements of a busy process, which then costs no probes. */
const DEFAULT_PROBE_IDLE_MS = 1_000;

/**
 * Finds pooled connections that fell silent, before they are used. A network that drops packets closes no connection, so each
 * one would otherwise cost a caller the whole timeout of a statement.
 */
export class ConnectionWatch {
  /** `performance.now()` of the last answer. */
  readonly #answeredAt = new WeakMap<Connection, number>();
  #silentSince = Number.NEGATIVE_INFINITY;

  /** @param probeIdleMs a connection that has not answered for so long is probed before its next use */
  constructor(private readonly probeIdleMs = DEFAULT_PROBE_IDLE_MS) {}

  noteAnswer(connection: Connection): void {
    this.#answeredAt.set(connection, performance.now());
  }

  /** A connection has not answered what was sent then. Idle ones that last answered before are not trusted any more. */
  noteSilence(sentAt: number): void {
    this.#silentSince = Math.max(this.#silentSince, sentAt);
  }

  /** Whether an idle connection can be used. Destroys it when it can not. */
  async isUsable(connection: Connection): Promise<boolean> {
    const answeredAt = this.#answeredAt.get(connection) ?? Number.NEGATIVE_INFINITY;
    if (answeredAt < this.#silentSince) {
      connection.destroy();
      return false;
    }
    return performance.now() - answeredAt < this.probeIdleMs || this.#probe(connection);
  }

  #probe(connection: Connection): Promise<boolean> {
    const sentAt = performance.now();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.noteSilence(sentAt);
        connection.destroy();
        resolve(false);
      }, PROBE_TIMEOUT_MS);
      connection.ping((error) => {
        clearTimeout(timer);
        if (!error) this.noteAnswer(connection);
        resolve(!error);
      });
    });
  }
}
