import { signal } from '@preact/signals';
import { ApiError } from '../api/api-error.js';
import { callApi } from '../api/call.js';
import { type Explanation, explainError } from '../api/explain-error.js';
import { serverNow } from '../api/server-clock.js';
import type { CurrentIdentity } from '../identity/current-identity.js';
import { listMessages } from './list-messages.js';
import { LiveConnection } from './live-connection.js';
import { type MailMessage, parseMessage } from './mail-message.js';
import { MessageReader } from './message-reader.js';

/** The server takes 1,000 ids in one request. */
const MAX_ACKNOWLEDGED = 1_000;

/** One box of one identity: its messages, kept up to date while it is open. */
export class Mailbox {
  /** Newest first. */
  readonly messages = signal<readonly MailMessage[]>([]);
  /** Messages fetched so far; undefined when none are being fetched. */
  readonly fetched = signal<number | undefined>(0);
  readonly problem = signal<Explanation | undefined>(undefined);
  readonly reader: MessageReader;
  readonly connection: LiveConnection;
  readonly #ending = new AbortController();
  /** Acknowledged here; a list that was under way meanwhile may still have them. */
  readonly #acknowledged = new Set<string>();
  /** Where the last list ended. */
  #after: string | undefined;
  /** The last fetch, which the next one waits for. */
  #fetching: Promise<boolean> = Promise.resolve(true);

  constructor(
    readonly identity: CurrentIdentity,
    readonly messageBox: string,
  ) {
    this.reader = new MessageReader(identity);
    this.connection = new LiveConnection({
      identity,
      messageBox,
      onMessage: (value) => this.#receive(value),
      fetchMissed: () => this.#fetch(),
    });
  }

  open(): void {
    void this.#fetch();
    void this.connection.run();
  }

  close(): void {
    this.#ending.abort();
    this.connection.close();
  }

  /** Fetches the box again. */
  async refresh(): Promise<void> {
    this.#after = undefined;
    await this.#fetch();
  }

  /**
   * Acknowledges messages: the server deletes them, and they leave the list.
   *
   * @throws {ApiError} when the server refuses; what it had not deleted by then stays in the list
   */
  async acknowledge(messageIds: readonly string[]): Promise<void> {
    for (let start = 0; start < messageIds.length; start += MAX_ACKNOWLEDGED) {
      await this.#acknowledgePart(messageIds.slice(start, start + MAX_ACKNOWLEDGED));
    }
  }

  async #acknowledgePart(messageIds: readonly string[]): Promise<void> {
    try {
      await callApi(this.identity, 'POST', '/acknowledgeMessage', { messageIds });
    } catch (error) {
      // Another tab, or another program, was faster.
      if (!(error instanceof ApiError && error.code === 'ERR_INVALID_ACKNOWLEDGMENT')) throw error;
    }
    const gone = new Set(messageIds);
    for (const messageId of messageIds) this.#acknowledged.add(messageId);
    this.messages.value = this.messages.value.filter(({ messageId }) => !gone.has(messageId));
    this.reader.forget(messageIds);
  }

  #receive(value: unknown): void {
    const message = parseMessage(value, serverNow());
    if (message !== undefined) this.#merge([message]);
  }

  /** Fetches what was not fetched yet. @returns whether the server answered */
  #fetch(): Promise<boolean> {
    this.#fetching = this.#fetching.then(() => this.#fetchNow());
    return this.#fetching;
  }

  async #fetchNow(): Promise<boolean> {
    this.fetched.value = 0;
    try {
      const { messages, after } = await listMessages(this.identity, {
        messageBox: this.messageBox,
        after: this.#after,
        onProgress: (count) => {
          this.fetched.value = count;
        },
        signal: this.#ending.signal,
      });
      if (this.#ending.signal.aborted) return true;
      this.#after = after;
      this.#merge(messages);
      this.problem.value = undefined;
      return true;
    } catch (error) {
      this.problem.value = explainError(error);
      return false;
    } finally {
      this.fetched.value = undefined;
    }
  }

  /** Adds what is new. @param messages oldest first */
  #merge(messages: readonly MailMessage[]): void {
    const known = new Set(this.messages.value.map(({ messageId }) => messageId));
    const added = messages.filter(({ messageId }) => !known.has(messageId) && !this.#acknowledged.has(messageId));
    if (added.length > 0) this.messages.value = [...added.reverse(), ...this.messages.value];
  }
}
