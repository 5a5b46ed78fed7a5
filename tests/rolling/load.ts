import { randomBytes } from 'node:crypto';
import { waitUntil } from '../acceptance/history.js';
import { Client, type Connection, type Listed, type Trouble } from './client.js';

/** 60 sends a second: two over HTTP, then one live. */
const SENDS_PER_SECOND = 60;
const isLive = (number: number) => number % 3 === 2;
const MAX_SEND_ATTEMPTS = 5;
const FILLER = 'x'.repeat(200);
/** A push may be on its way for so long when its instance is told to stop, or when its connection ends. */
const MAX_PARTING_MS = 1_000;
/** An instance parts with its clients at some time from the signal to stop on. */
const STOP_TIMEOUT_MS = 10_000;

const SENDERS = [['websocket'], ['polling'], ['websocket'], ['polling', 'websocket']];
const RECIPIENTS = [['websocket'], ['polling'], ['websocket'], ['polling'], ['polling', 'websocket'], ['polling']];

interface Sent {
  readonly messageId: string;
  readonly sender: Client;
  readonly recipient: Client;
  readonly body: string;
  readonly at: number;
  /** When it was answered or acknowledged with success. */
  confirmedAt: number | undefined;
}

/** A message that its recipient's sockets did not get, nor the list that was made after coming back. */
type Missing = string;

/** Steady load on a server, and everything that came of it. */
export class Load {
  readonly troubles: Trouble[] = [];
  readonly faults: string[] = [];
  readonly counts = { http: 0, live: 0, httpInPlaceOfLive: 0, repeats: 0 };
  readonly #senders: readonly Client[];
  readonly #recipients: readonly Client[];
  readonly #sent: Sent[] = [];
  readonly #stops: number[] = [];
  readonly #milestones: { readonly number: number; readonly reach: () => void }[] = [];
  #total = 0;

  private constructor(edge: { readonly url: string; readonly port: number }) {
    const observer = {
      trouble: (what: string) => void this.troubles.push({ at: performance.now(), what }),
      fault: (what: string) => void this.faults.push(what),
    };
    const clients = (kinds: readonly string[][]) => kinds.map((transports) => new Client(edge, transports, observer));
    this.#senders = clients(SENDERS);
    this.#recipients = clients(RECIPIENTS);
  }

  /** Resolves when all clients are there. */
  static async open(edge: { readonly url: string; readonly port: number }): Promise<Load> {
    const load = new Load(edge);
    await Promise.all(load.#clients.map((client) => client.open()));
    await waitUntil('all clients have joined', () => load.#clients.every((client) => client.joined));
    return load;
  }

  /** Tells that an instance is being stopped now. */
  stopping(): void {
    this.#stops.push(performance.now());
  }

  get sends(): number {
    return this.#sent.length;
  }

  /** Sends for so long at a steady pace; resolves when everything is confirmed and everybody is back. */
  async run(seconds: number): Promise<void> {
    this.#total = seconds * SENDS_PER_SECOND;
    const start = performance.now();
    const underWay: Promise<void>[] = [];
    while (underWay.length < this.#total) {
      const due = Math.floor(((performance.now() - start) / 1_000) * SENDS_PER_SECOND);
      while (underWay.length < Math.min(due, this.#total)) underWay.push(this.#send(underWay.length));
      for (const milestone of this.#milestones) if (underWay.length >= milestone.number) milestone.reach();
      await new Promise((resolve) => setTimeout(resolve, 1_000 / SENDS_PER_SECOND));
    }
    await Promise.all(underWay);
    await waitUntil('all clients are back', () => this.#clients.every((client) => client.joined), 30_000);
    // Pushes that are on their way arrive; `missing` finds the others.
    await waitUntil('all has arrived', () => this.missing().length === 0).catch(() => undefined);
  }

  /** Resolves when this part of the load, 0 to 1, has been sent. */
  reached(part: number, seconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#milestones.push({ number: part * seconds * SENDS_PER_SECOND, reach: resolve });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  get unconfirmed(): string[] {
    return this.#sent.filter((sent) => sent.confirmedAt === undefined).map(({ messageId }) => messageId);
  }

  /** How the boxes differ from what was confirmed: messages lost, there twice, changed, or never sent. */
  async differences(): Promise<string[]> {
    const found: string[] = [];
    for (const recipient of this.#recipients) {
      const listed = new Map<string, Listed>();
      for (const message of await recipient.list()) {
        if (listed.has(message.messageId)) found.push(`${message.messageId} is there twice`);
        listed.set(message.messageId, message);
      }
      for (const { messageId, sender, body } of this.#sent.filter((sent) => sent.recipient === recipient)) {
        const message = listed.get(messageId);
        listed.delete(messageId);
        if (message === undefined) found.push(`${messageId} is lost`);
        else if (message.sender !== sender.key || message.body !== body) found.push(`${messageId} is another message`);
      }
      for (const messageId of listed.keys()) found.push(`${messageId} was never sent`);
    }
    return found;
  }

  /** Messages that were neither pushed nor stored while the recipient was away and then found by catching up. */
  missing(): Missing[] {
    return this.#sent.filter((sent) => !isPushed(sent) && !this.#isCaughtUp(sent)).map(describeSent);
  }

  /** Messages that were pushed more than once on one connection. */
  pushedTwice(): string[] {
    return this.#connections.flatMap(({ pushed }) =>
      [...pushed].filter(([, times]) => times > 1).map(([messageId, times]) => `${messageId}: ${times} times`),
    );
  }

  /** The longest time for which a client was away, without what it waited itself. */
  get longestAbsenceMs(): number {
    const absences = this.#clients.flatMap((client) => client.absences);
    return Math.round(Math.max(0, ...absences.map(({ from, until, ownDelayMs }) => until - from - ownDelayMs)));
  }

  get partings(): string[] {
    return [...new Set(this.#connections.flatMap(({ reason }) => reason ?? []))].sort();
  }

  /** The figures of the run, for people. */
  figures(): Record<string, unknown> {
    const all = this.#connections;
    const absences = this.#clients.flatMap((client) => client.absences);
    const pushes = all.flatMap(({ pushed }) => [...pushed.values()]);
    return {
      sends: this.sends,
      ...this.counts,
      errors: this.troubles.length,
      pushed: pushes.reduce((sum, n) => sum + n, 0),
      foundByCatchingUp: this.#sent.filter((sent) => !isPushed(sent) && this.#isCaughtUp(sent)).length,
      reconnects: absences.length,
      refusedReconnects: this.#clients.reduce((sum, client) => sum + client.refusedReconnects, 0),
      longestAwayMs: Math.round(Math.max(0, ...absences.map(({ from, until }) => until - from))),
      longestAwayWithoutOwnDelayMs: this.longestAbsenceMs,
      partings: this.partings.join(', '),
    };
  }

  get #clients(): Client[] {
    return [...this.#senders, ...this.#recipients];
  }

  get #connections(): Connection[] {
    return this.#clients.flatMap((client) => client.connections);
  }

  /** Whether it may have been stored while the recipient was away, and is in the list that was made right after. */
  #isCaughtUp({ recipient, messageId, at, confirmedAt = Number.POSITIVE_INFINITY }: Sent): boolean {
    return recipient.absences.some(({ from, until }) => {
      const stop = this.#stops.findLast((when) => when <= from && when > from - STOP_TIMEOUT_MS) ?? from;
      const away = at <= until && confirmedAt >= stop - MAX_PARTING_MS;
      const back = recipient.connections.find(({ joinedAt }) => joinedAt === until);
      return away && back?.caughtUp?.has(messageId) === true;
    });
  }

  async #send(number: number): Promise<void> {
    const sender = this.#senders[Math.floor(number / 3) % this.#senders.length] as Client;
    const recipient = this.#recipients[number % this.#recipients.length] as Client;
    const messageId = randomBytes(32).toString('hex');
    const body = `${number} ${FILLER}`;
    const sent: Sent = { messageId, sender, recipient, body, at: performance.now(), confirmedAt: undefined };
    this.#sent.push(sent);
    // Without a connection the real client sends over HTTP, too.
    const live = isLive(number) && sender.live;
    if (live) this.counts.live += 1;
    else if (isLive(number)) this.counts.httpInPlaceOfLive += 1;
    else this.counts.http += 1;
    for (let i = 0; i < MAX_SEND_ATTEMPTS; i++) {
      const overSocket = live && i === 0;
      if (i > 0) this.counts.repeats += 1;
      try {
        if (overSocket) await sender.sendLive(recipient.key, messageId, body);
        else await this.#sendOverHttp(sent);
        sent.confirmedAt = performance.now();
        return;
      } catch (error) {
        const what = `${overSocket ? 'live' : 'HTTP'} send, try ${i + 1}: ${(error as Error).message}`;
        this.troubles.push({ at: performance.now(), what });
      }
    }
  }

  async #sendOverHttp({ sender, recipient, messageId, body }: Sent): Promise<void> {
    const message = { recipient: recipient.key, messageBox: 'inbox', messageId, body };
    const answer = await sender.post('/sendMessage', { message });
    if (answer['status'] !== 'success' || answer['messageId'] !== messageId) {
      this.faults.push(`a send was answered with ${JSON.stringify(answer)}`);
    }
  }
}

function isPushed({ recipient, messageId }: Sent): boolean {
  return recipient.connections.some(({ pushed }) => pushed.has(messageId));
}

function describeSent({ recipient, messageId, body, at, confirmedAt }: Sent): string {
  const times = recipient.connections.map(
    ({ joinedAt, lostAt, caughtUp }) =>
      `${formatMs(joinedAt)}–${formatMs(lostAt)}${caughtUp?.has(messageId) ? ' (listed)' : ''}`,
  );
  return `number ${body.split(' ')[0]}, sent ${formatMs(at)}, confirmed ${formatMs(confirmedAt)}, its recipient joined ${times.join(', ')}`;
}

function formatMs(time: number | undefined): string {
  return time === undefined ? '…' : time.toFixed(0);
}
