import type { DeviceRegistrations, JobQueue, Logger, OutboxRow, PushOutbox } from '@messagebox/shared';
import { pushJob } from './push-jobs.js';
import type { RowJobs, RowsInHand } from './rows-in-hand.js';

export interface DrainParts {
  readonly outbox: PushOutbox;
  readonly devices: DeviceRegistrations;
  readonly queue: JobQueue;
  /** Where jobs die with the process. Without it rows go as soon as their jobs are kept. */
  readonly inHand: RowsInHand | undefined;
  readonly log: Logger;
}

export interface DrainSettings {
  /** Looks so often when nobody wakes it. */
  readonly everyMs: number;
  /** While about so many jobs have not ended, rows stay in the outbox. */
  readonly mostJobs: number;
  /** How long a row is left to the instance that took it. */
  readonly leaseMs: number;
}

const ROWS_AT_ONCE = 100;

/**
 * Makes jobs of the outbox's rows, one for each active device of the recipient. A row goes only after its jobs are kept,
 * or have ended where they are not; when the queue is away, rows wait. Any number of instances may do so at once.
 */
export class OutboxDrain {
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #again = false;
  #held = false;
  #ended = 0;
  #failing = false;
  #closed = false;

  constructor(
    private readonly parts: DrainParts,
    private readonly settings: DrainSettings,
  ) {
    // Spread, so that instances which started together don't look together.
    this.#timer = setInterval(() => void this.#look(), settings.everyMs * (0.8 + Math.random() * 0.4));
    this.#timer.unref();
    this.wake();
  }

  /** There may be something to do. Returns at once. After a failure the next regular look is waited for. */
  wake(): void {
    if (!this.#failing) this.#start();
  }

  /** A job has ended for good: there may be room for more. */
  jobEnded(id: string): void {
    this.parts.inHand?.jobEnded(id);
    this.#ended += 1;
    if (this.#held && this.#ended >= this.settings.mostJobs / 4) this.wake();
  }

  /** Takes no more rows; resolves when what it has begun is done. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  #start(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#again) this.wake();
    });
  }

  async #look(): Promise<void> {
    // What it is for, the next claim says.
    await this.parts.inHand?.tend().catch(() => undefined);
    this.#start();
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        this.#held = false;
        this.#ended = 0;
        while (!this.#closed && (await this.#drainSome()));
      }
      if (this.#failing) this.parts.log.info('pushes go on');
      this.#failing = false;
    } catch (error) {
      // One line for each outage.
      if (!this.#failing) this.parts.log.warn({ reason: reasonOf(error) }, 'pushes wait in the outbox');
      this.#failing = true;
    }
  }

  /** @returns whether there may be more */
  async #drainSome(): Promise<boolean> {
    const { outbox, queue, inHand } = this.parts;
    const { waiting, delayed, active } = await queue.counts();
    const room = this.settings.mostJobs - (waiting + delayed + active);
    this.#held = room <= 0;
    if (this.#held) return false;
    const claimed = await outbox.claim(Math.min(ROWS_AT_ONCE, room), this.settings.leaseMs);
    if (claimed.length === 0) return false;
    // Of one whose lease ran out while the database was away the jobs live.
    const rows = claimed.filter(({ id }) => inHand?.has(id) !== true);
    let batch: RowJobs[];
    try {
      batch = await this.#batch(rows, room);
      const left = rows.slice(batch.length);
      this.#held = left.length > 0;
      await outbox.release(left.map(({ id }) => id));
      await this.#addJobs(batch);
    } catch (error) {
      // Else nobody would have them until the lease ends. When this fails, too, it is waited for.
      await outbox.release(rows.map(({ id }) => id)).catch(() => undefined);
      throw error;
    }
    await (inHand === undefined ? outbox.remove(batch.map(({ row }) => row)) : inHand.tend());
    return !this.#held;
  }

  /** The first of these rows with their jobs, up to the one that uses up the room. */
  async #batch(rows: readonly OutboxRow[], room: number): Promise<RowJobs[]> {
    const devices = await this.parts.devices.activeOf([...new Set(rows.map(({ recipient }) => recipient))]);
    const batch: RowJobs[] = [];
    let left = room;
    for (const row of rows) {
      if (left <= 0) break;
      const jobs = (devices.get(row.recipient) ?? []).map((device) => pushJob(row, device));
      batch.push({ row: row.id, jobs });
      left -= jobs.length;
    }
    return batch;
  }

  async #addJobs(batch: readonly RowJobs[]): Promise<void> {
    const { queue, inHand } = this.parts;
    inHand?.take(batch); // before they can end
    try {
      const jobs = batch.flatMap((one) => one.jobs);
      if (jobs.length > 0) await queue.addAll(jobs);
    } catch (error) {
      inHand?.drop(batch);
      throw error;
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
}
