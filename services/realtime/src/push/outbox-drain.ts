import type { DeviceRegistrations, JobQueue, Logger, Metrics, OutboxRow, PushOutbox } from '@messagebox/shared';
import { pushJob } from './push-jobs.js';

export interface DrainParts {
  readonly outbox: PushOutbox;
  readonly devices: DeviceRegistrations;
  readonly queue: JobQueue;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface DrainSettings {
  /** Looks so often when nobody wakes it. */
  readonly everyMs: number;
  /** While about so many jobs have not ended, rows stay in the outbox. */
  readonly mostJobs: number;
  /** How long a row is left to the instance that took it. */
  readonly leaseMs: number;
  /** Rows that are older are dropped: nobody wants to hear of a message of the day before yesterday. */
  readonly maxAgeMs: number;
}

const ROWS_AT_ONCE = 100;
/** The gauge counts no further. */
const MOST_COUNTED = 100_000;

/**
 * Makes jobs of the outbox's rows, one for each active device of the recipient. A row goes only after its jobs are kept;
 * when the queue is away, rows wait. Any number of instances may do so at once.
 */
export class OutboxDrain {
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #again = false;
  #held = false;
  #ended = 0;
  #failing = false;
  #closed = false;
  #size = 0;

  constructor(
    private readonly parts: DrainParts,
    private readonly settings: DrainSettings,
  ) {
    parts.metrics.gauge(
      'messagebox_push_outbox_rows',
      'Messages in the outbox, counted up to 100,000.',
      () => this.#size,
    );
    // Spread, so that instances which started together don't look together.
    this.#timer = setInterval(() => void this.#look(), settings.everyMs * (0.8 + Math.random() * 0.4));
    this.#timer.unref();
    this.wake();
  }

  /** There may be something to do. Returns at once. After a failure the next regular look is waited for. */
  wake(): void {
    if (!this.#failing) this.#start();
  }

  /** A job has ended, whatever way: there may be room for more. */
  jobEnded(): void {
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
    await this.#count();
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
    const { outbox, queue } = this.parts;
    const { waiting, delayed, active } = await queue.counts();
    const room = this.settings.mostJobs - (waiting + delayed + active);
    this.#held = room <= 0;
    if (this.#held) return false;
    const rows = await outbox.claim(Math.min(ROWS_AT_ONCE, room), this.settings.leaseMs);
    if (rows.length === 0) return false;
    const ids = rows.map(({ id }) => id);
    try {
      await this.#enqueue(rows);
    } catch (error) {
      // Else nobody would have them until the lease ends. When this fails, too, it is waited for.
      await outbox.release(ids).catch(() => undefined);
      throw error;
    }
    await outbox.remove(ids);
    return true;
  }

  async #enqueue(rows: readonly OutboxRow[]): Promise<void> {
    const oldest = Date.now() - this.settings.maxAgeMs;
    const fresh = rows.filter(({ createdAt }) => createdAt >= oldest);
    const devices = await this.parts.devices.activeOf([...new Set(fresh.map(({ recipient }) => recipient))]);
    const jobs = fresh.flatMap((row) => (devices.get(row.recipient) ?? []).map((device) => pushJob(row, device)));
    if (jobs.length > 0) await this.parts.queue.addAll(jobs);
    this.parts.metrics.pushes.inc({ outcome: 'expired' }, rows.length - fresh.length);
  }

  async #count(): Promise<void> {
    // What it is for, the next wake says.
    this.#size = await this.parts.outbox.size(MOST_COUNTED).catch(() => this.#size);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} ${error.cause.message}` : error.message;
}
