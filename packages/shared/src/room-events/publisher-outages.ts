import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { earlier, Moment } from '../redis/moment.js';
import type { ControlChannel } from './control-channel.js';
import { ignoreRejections } from './ignore-rejections.js';
import { UntilDone } from './until-done.js';

/** A period in which room events were not published, and which the other instances know of. */
interface AnnouncedOutage {
  readonly since: Moment;
  readonly announced: Moment;
}

/** Outages that are remembered for instances that did not hear of them. Older ones are merged. */
const MAX_ANNOUNCED_OUTAGES = 32;
/** Instances that have asked and are not answered yet. When there are more, all instances are told. */
const MAX_WAITING_ANSWERS = 100;
/** An instance may have lost its subscriptions a little before it noticed, and a message is under way for a while. */
const HEARD_MARGIN_MS = 5_000;
/** The pause before each try to tell the others. */
export const ANNOUNCE_INTERVAL_MS = 500;

export interface PublisherOutagesOptions {
  readonly commands: Redis;
  readonly method: 'publish' | 'spublish';
  /** Whether a channel carries room events. */
  readonly isRoomChannel: (channel: string) => boolean;
  readonly control: ControlChannel;
  readonly log: Logger;
}

/**
 * Counts the room events that this process could not publish, and tells the other instances about them as soon as it can
 * publish again: these events are stored, and only the instances can find them.
 *
 * It replaces the method of the client that the adapters of socket.io publish with.
 */
export class PublisherOutages {
  readonly #options: PublisherOutagesOptions;
  readonly #announcement = new UntilDone(() => this.#announce(), ANNOUNCE_INTERVAL_MS);
  #unpublished = 0;
  /** When the first event that nobody was told about should have been published. */
  #since: Moment | undefined;
  #isLogged = false;
  readonly #announced: AnnouncedOutage[] = [];
  readonly #answers = new Map<string, Moment>();

  constructor(options: PublisherOutagesOptions) {
    this.#options = options;
    const { commands, method, log } = options;
    const publish = commands[method].bind(commands) as (channel: string, message: string | Buffer) => Promise<number>;
    const publishAndWatch = (channel: string, message: string | Buffer) => {
      const called = new Moment();
      const promise = ignoreRejections(publish(channel, message), method, log);
      if (options.isRoomChannel(channel)) promise.catch((error: Error) => this.#onUnpublished(called, error));
      return promise;
    };
    Object.assign(commands, { [method]: publishAndWatch });
    commands.on('end', () => this.#announcement.close());
  }

  /** How many publishes of room events have failed. Some of them may have reached Redis, whose answer was lost. */
  get unpublished(): number {
    return this.#unpublished;
  }

  /** Tells an instance that had lost its subscriptions about the outages that began earlier, and that it has not heard of. */
  answerRenewed(agoMs: number, from: string): void {
    let since: Moment | undefined;
    for (const outage of this.#announced) {
      const wasHeard = outage.announced.ageMs > agoMs + HEARD_MARGIN_MS;
      // A later outage is within the period that the instance catches up by itself.
      if (!wasHeard && outage.since.ageMs > agoMs) since = earlier(since, outage.since);
    }
    if (since === undefined) return;
    if (this.#answers.size < MAX_WAITING_ANSWERS) this.#answers.set(from, earlier(this.#answers.get(from), since));
    else this.#since = earlier(this.#since, since);
    this.#announcement.request();
  }

  #onUnpublished(called: Moment, error: Error): void {
    this.#unpublished += 1;
    this.#since = earlier(this.#since, called);
    if (!this.#isLogged) this.#options.log.warn({ reason: error.message }, 'room events are not published');
    this.#isLogged = true;
    this.#announcement.request();
  }

  async #announce(): Promise<void> {
    const { control, log } = this.#options;
    const since = this.#since;
    if (since !== undefined) {
      this.#since = undefined;
      try {
        await control.send({ type: 'unpublished', agoMs: since.ageMs });
      } catch (error) {
        this.#since = earlier(this.#since, since);
        throw error;
      }
      this.#remember({ since, announced: new Moment() });
      log.info({ sinceMs: Math.round(since.ageMs) }, 'room events are published again; the instances were told');
      this.#isLogged = this.#since !== undefined;
    }
    for (const [to, answer] of this.#answers) {
      await control.send({ type: 'unpublished', agoMs: answer.ageMs, to });
      this.#answers.delete(to);
    }
  }

  #remember(outage: AnnouncedOutage): void {
    this.#announced.push(outage);
    if (this.#announced.length <= MAX_ANNOUNCED_OUTAGES) return;
    const [first, second, ...rest] = this.#announced as [AnnouncedOutage, AnnouncedOutage, ...AnnouncedOutage[]];
    const merged = { since: earlier(first.since, second.since), announced: second.announced };
    this.#announced.splice(0, this.#announced.length, merged, ...rest);
  }
}
