import { writeFileSync } from 'node:fs';
import { type ServiceProcess, startService } from '../../support/service-process.ts';
import { removeFakeClock } from './clock.ts';
import { Link } from './link.ts';

export interface ServiceOptions {
  readonly name: 'api' | 'overlay' | 'realtime';
  /** For people: `realtime 0`. */
  readonly label: string;
  readonly env: Record<string, string>;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** The file with the offset of the process's clock, when it runs under libfaketime. */
  readonly clockFile?: string | undefined;
}

/** A service process with a link of its own to Redis and to the database. Only a fault may end it. */
export class Service {
  /** How it ended without having been told to, if it did. */
  ended: string | undefined;
  #endsOnPurpose = false;

  private constructor(
    readonly label: string,
    private readonly process: ServiceProcess,
    readonly redis: Link,
    readonly database: Link,
    private readonly clockFile: string | undefined,
  ) {
    this.#watch();
  }

  static async start({ name, label, env, redisUrl, databaseUrl, clockFile }: ServiceOptions): Promise<Service> {
    const [redis, database] = await Promise.all([Link.open(redisUrl), Link.open(databaseUrl)]);
    const links = { REDIS_URL: redis.url, KNEX_DB_CONNECTION: JSON.stringify(database.url) };
    try {
      const started = await startService({ name, env: { ...env, ...links } });
      return new Service(label, started, redis, database, clockFile);
    } catch (error) {
      await Promise.all([redis.close(), database.close()]);
      throw error;
    }
  }

  get url(): string {
    return this.process.url;
  }

  get pid(): number {
    return this.process.pid;
  }

  get logs(): readonly string[] {
    return this.process.logs;
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#endsOnPurpose = true;
    await this.process.kill();
    if (this.clockFile !== undefined) removeFakeClock(this.pid);
  }

  /** SIGTERM; resolves when the process has ended. An exit code other than 0 counts as an end that nobody wanted. */
  async stop(): Promise<void> {
    this.#endsOnPurpose = true;
    const code = await this.process.stop();
    if (code !== 0) this.ended ??= `${this.label}: exit code ${code} after SIGTERM`;
  }

  /** Starts it again at the same address; resolves when it listens. */
  async restart(): Promise<void> {
    await this.process.restart({ samePort: true });
    this.#endsOnPurpose = false;
    this.#watch();
  }

  /** SIGSTOP: the process hangs, and its connections stay open. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /**
   * Sets the wall clock of the process. The monotonic clock goes on, as it does when a machine's time is corrected.
   *
   * @throws {Error} when the process does not run under libfaketime
   */
  setClock(offsetSeconds: number): void {
    if (this.clockFile === undefined) throw new Error(`${this.label} has no clock that can be set`);
    writeFileSync(this.clockFile, `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}\n`);
  }

  async close(): Promise<void> {
    await this.kill();
    await Promise.all([this.redis.close(), this.database.close()]);
  }

  #watch(): void {
    void this.process.exited.then(({ code, signal }) => {
      if (!this.#endsOnPurpose) this.ended ??= `${this.label}: ${signal ?? `exit code ${code}`}`;
    });
  }
}
