import { ruleErrorCodes } from '@messagebox/messages';
import { documentedErrors } from '@messagebox/test-support/documented-errors';
import {
  type Answer,
  getHeader,
  RawClient,
  type Session,
  sendRaw,
  type WireRequest,
} from '@messagebox/test-support/raw-client';
import { readLinesSince, startServer, type TestServer } from './server.ts';

/** Codes that answer an authenticated request, so the answer is signed. All other refusals come before authentication. */
const signedCodes = new Set<string>([...ruleErrorCodes, 'ERR_NOT_FOUND']);
// Said of a body before it is verified.
for (const code of ['ERR_BODY_TOO_LARGE', 'ERR_UNSUPPORTED_ENCODING']) signedCodes.delete(code);

/** Stands in every body and header that a test sends, and never in a log. */
export const SECRET = 'zq-secret-9f31';

/** A server with two users, and what each test asks of it. */
export class HttpTestBed {
  private constructor(
    readonly server: TestServer,
    readonly sender: Session,
    readonly recipient: Session,
  ) {}

  static async start(env: Record<string, string> = {}): Promise<HttpTestBed> {
    return HttpTestBed.create(await startServer(env));
  }

  /** The same around a server that runs already. */
  static async create(server: TestServer): Promise<HttpTestBed> {
    const [sender, recipient] = [new RawClient(), new RawClient()];
    return new HttpTestBed(server, await sender.shakeHands(server.port), await recipient.shakeHands(server.port));
  }

  close(): Promise<void> {
    return this.server.close();
  }

  send(request: WireRequest | string | Uint8Array): Promise<Answer> {
    return sendRaw(this.server.port, request);
  }

  /** A message that the server takes, unless fields say otherwise. */
  message(fields: Record<string, unknown> = {}): { message: Record<string, unknown> } {
    const recipient = this.recipient.client.identityKey;
    return { message: { recipient, messageBox: 'inbox', messageId: createUniqueId(), body: SECRET, ...fields } };
  }

  /** A signed request that the server takes, unless the body says otherwise. */
  sendMessage(body: object | string | Uint8Array = this.message()): WireRequest {
    return this.sender.post('/sendMessage', body);
  }

  /** The messages that the recipient finds. */
  async list(messageBox = 'inbox', reader = this.recipient): Promise<Listed[]> {
    const request = reader.post('/listMessages', { messageBox });
    const answer = await this.send(request);
    if (answer.status !== 200 || !reader.isSigned(request, answer)) throw new Error(`Listing failed: ${answer.text}`);
    return (JSON.parse(answer.text) as { messages: Listed[] }).messages;
  }

  /** Sends what the server must take, and returns the parsed answer. */
  async expectAccepted(request: WireRequest, by: Session = this.sender): Promise<Record<string, unknown>> {
    const mark = this.server.log.length;
    const answer = await this.send(request);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    expect(by.isSigned(request, answer)).toBe(true);
    expect(readLinesSince(this.server, mark)).toEqual([]);
    return JSON.parse(answer.text) as Record<string, unknown>;
  }

  /**
   * Sends what the server must refuse: with this code and its documented status, as JSON, without a trace in the store,
   * with one line in the log that gives nothing away, and so that the next honest request is served.
   *
   * @param by whose session it is sent under; its answer, when there was authentication, is signed
   */
  async expectRefused(request: WireRequest | string | Uint8Array, code: string, by = this.sender): Promise<Answer> {
    const [mark, rows] = [this.server.log.length, await this.server.rows()];
    const answer = await this.send(request);
    const refusedWith = this.expectRefusal(answer, code);
    this.expectOneLine(mark, code, request);
    const isWire = typeof request !== 'string' && !(request instanceof Uint8Array);
    if (isWire && signedCodes.has(refusedWith)) expect(by.isSigned(request, answer)).toBe(true);
    else expect(Object.keys(answer.headers).filter((name) => name.startsWith('x-bsv-'))).toEqual([]);
    expect(await this.server.rows()).toEqual(rows);
    await this.list();
    return answer;
  }

  /**
   * The answer is the documented one, as JSON that says no more than it must.
   *
   * @returns its code, which tests through an edge allow to be another one
   */
  expectRefusal(answer: Answer, code: string): string {
    const body = parseAnswerBody(answer.text);
    expect({ status: answer.status, body }).toMatchObject({ body: { status: 'error', code } });
    expect(documentedErrors.get(code) ?? `${code} is not documented`).toContain(answer.status);
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
    const text = code === 'UNAUTHORIZED' ? 'message' : 'description';
    const sizes = new Set(['field', 'limit', 'size']);
    const keys = Object.keys(body).filter((key) => !sizes.has(key));
    expect(keys.sort()).toEqual(['code', text, 'status'].sort());
    expect(body[text]).toMatch(/^\w[^<>]{5,200}$/);
    expect(body[text]).not.toMatch(/\bat .*:\d+|node_modules|\.[jt]s\b|\/src\//);
    expect(answer.text).not.toContain(SECRET);
    return code;
  }

  /** Since the mark, exactly one line at info level or above, and in no line, debug ones included, any secret. */
  expectOneLine(mark: number, code: string, request?: WireRequest | string | Uint8Array): void {
    const lines = readLinesSince(this.server, mark);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 30, code });
    this.expectNoSecrets(mark, request);
  }

  expectNoSecrets(mark: number, request?: WireRequest | string | Uint8Array): void {
    const text = this.server.log.slice(mark).join('');
    const { privateKey } = this.server;
    const secrets = [SECRET, Buffer.from(privateKey).toString('hex'), Buffer.from(privateKey).toString('base64')];
    if (typeof request === 'object' && 'headers' in request) {
      for (const name of ['signature', 'nonce', 'your-nonce', 'request-id']) {
        secrets.push(getHeader(request, `x-bsv-auth-${name}`));
      }
      secrets.push(Buffer.from(request.body ?? '').toString());
    }
    for (const secret of secrets) {
      if (secret.length <= 16 && secret !== SECRET) continue;
      expect(text).not.toContain(secret);
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1)); // as a line of JSON would have it
    }
  }
}

export interface Listed {
  readonly messageId: string;
  readonly body: string;
  readonly sender: string;
}

/** Values of `expiresAt` that are refused, as of now. */
export function notExpiryTimes(): unknown[] {
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  return [
    '',
    ' ',
    'soon',
    0,
    Date.now() + 60_000,
    true,
    [],
    {},
    [inDays(1)],
    inDays(1).slice(0, 10),
    inDays(1).replace('Z', ''),
    inDays(1).replace('Z', '+0100'),
    inDays(1).replace('T', ' '),
    `${inDays(1)}\0`,
    '2027-02-30T00:00:00Z',
    inDays(-1),
    inDays(0),
    inDays(367),
    '9'.repeat(10_000),
    '\ud800',
  ];
}

let ids = 0;
export function createUniqueId(): string {
  ids += 1;
  return `id-${ids}`;
}

function parseAnswerBody(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { notJson: text };
  }
}
