import type { JsonObject } from '@messagebox/api-description';
import type { SocketEvent } from '@messagebox/test-kit/wire-observers';
import type { DocumentSchemas } from './schemas.ts';

/** An event inside of a signed frame. */
interface SignedEvent {
  readonly eventName: string;
  readonly data: unknown;
}

/** The answers that say that an event was accepted, the events that they answer, and what both have in common. */
const SUCCESSES: Readonly<
  Record<string, { readonly event: string; readonly isAnswerTo: (sent: SignedEvent, answer: SignedEvent) => boolean }>
> = {
  authenticationSuccess: { event: 'authenticated', isAnswerTo: () => true },
  joinedRoom: { event: 'joinRoom', isAnswerTo: (sent, answer) => roomOf(sent.data) === roomOf(answer.data) },
  leftRoom: { event: 'leaveRoom', isAnswerTo: (sent, answer) => roomOf(sent.data) === roomOf(answer.data) },
  sendMessageAck: {
    event: 'sendMessage',
    isAnswerTo: (sent, answer) =>
      answer.eventName === `sendMessageAck-${roomOf(sent.data)}` &&
      String(field(field(sent.data, 'message'), 'messageId')) === field(answer.data, 'messageId'),
  },
};

/** Holds frames and events of sockets to the AsyncAPI document. */
export class LiveContract {
  readonly #patterns: { readonly key: string; readonly pattern: RegExp }[];
  /** What each connection has sent, for its answers. */
  readonly #sent = new WeakMap<object, SignedEvent[]>();

  constructor(private readonly schemas: DocumentSchemas) {
    const { messages } = schemas.document['components'] as { messages: Record<string, { readonly name: string }> };
    this.#patterns = Object.entries(messages).map(([key, { name }]) => ({
      key,
      pattern: new RegExp(`^${name.replace('{roomId}', '.*')}$`, 's'),
    }));
  }

  /** @returns in how far the event is not as described */
  findProblems({ socket, direction, name, data }: SocketEvent): string[] {
    if (direction === 'sent') {
      const sent = name === 'authMessage' ? readEvent(data) : undefined;
      if (sent !== undefined) this.#sent.set(socket, [...(this.#sent.get(socket) ?? []), sent]);
      return [];
    }
    // Unsigned, to a client that is not authenticated.
    if (name === 'authenticationFailed') return this.#findDataProblems('authenticationFailed', data);
    if (name !== 'authMessage') return [`the socket.io event ${name} is not described`];
    const event = readEvent(data);
    const frame = FRAMES[String(field(data, 'messageType'))] ?? 'General';
    const problem = this.schemas.findProblem(['components', 'schemas', frame], data);
    if (problem !== undefined) return [`the frame: ${problem}`];
    return event === undefined ? [] : this.#findEventProblems(socket, event);
  }

  #findEventProblems(socket: object, event: SignedEvent): string[] {
    const key = this.#patterns.find(({ pattern }) => pattern.test(event.eventName))?.key;
    if (key === undefined) return [`the event ${event.eventName} is not described`];
    return [...this.#findDataProblems(key, event.data), ...this.#findProblemsOfAccepted(socket, key, event)];
  }

  #findDataProblems(key: string, data: unknown): string[] {
    const problem = this.schemas.findProblem(['components', 'messages', key, 'payload'], data);
    return problem === undefined ? [] : [`the data: ${problem}`];
  }

  /** What is not described must not be accepted. */
  #findProblemsOfAccepted(socket: object, key: string, answer: SignedEvent): string[] {
    const success = SUCCESSES[key];
    if (success === undefined || (key === 'sendMessageAck' && field(answer.data, 'status') !== 'success')) return [];
    const sent = this.#sent.get(socket) ?? [];
    const at = sent.findIndex((one) => one.eventName === success.event && success.isAnswerTo(one, answer));
    const [accepted] = at < 0 ? [] : sent.splice(at, 1);
    if (accepted === undefined) return [];
    return this.#findDataProblems(success.event, accepted.data).map(
      (problem) => `the accepted ${success.event}: ${problem}`,
    );
  }
}

const FRAMES: Readonly<Record<string, string>> = {
  initialRequest: 'InitialRequest',
  initialResponse: 'InitialResponse',
  general: 'General',
};

function readEvent(frame: unknown): SignedEvent | undefined {
  if (field(frame, 'messageType') !== 'general') return undefined;
  try {
    const payload = Uint8Array.from(field(frame, 'payload') as number[]);
    const event = JSON.parse(Buffer.from(payload).toString('utf8')) as unknown;
    const eventName = field(event, 'eventName');
    return typeof eventName === 'string' ? { eventName, data: field(event, 'data') } : undefined;
  } catch {
    return undefined; // sent by a test that breaks rules
  }
}

function roomOf(data: unknown): string {
  return String(typeof data === 'string' ? data : field(data, 'roomId'));
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as JsonObject)[name] : undefined;
}
