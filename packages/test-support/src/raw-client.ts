/**
 * A client that does BRC-103 and BRC-104 by itself, byte by byte, so that a test can tamper with any part: its own
 * HTTP over a TCP connection, its own handshake, its own signatures. Only the curve is the server's library, for speed;
 * `raw-client.test.ts` holds it against the SDK.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket as TcpSocket } from 'node:net';
import { createKeys, type Keys, loadCurve } from '@messagebox/brc103';
import { reportExchange, reportSocket } from '@messagebox/test-kit/wire-observers';
import { io as connectSocketIo, type Socket } from 'socket.io-client';

/** A test fails when it waits longer than this. */
const ANSWER_TIMEOUT_MS = 30_000;
const PROTOCOL = { securityLevel: 2, protocol: 'auth message signature' } as const;

export type Header = readonly [name: string, value: string];

/** A request as it goes over the wire; nothing is added to it. */
export interface WireRequest {
  readonly method: string;
  /** The request target, query included. */
  readonly path: string;
  readonly headers: readonly Header[];
  readonly body?: Uint8Array | undefined;
}

export interface Answer {
  readonly status: number;
  /** Names in lower case; values of equal names joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** One TCP connection, to write anything into. */
export class RawConnection {
  #received: Buffer = Buffer.alloc(0);
  #over = false;
  #wake: () => void = () => undefined;
  /** What was written and is not answered yet. */
  #written: Buffer = Buffer.alloc(0);
  /** When the server has ended the connection, whatever the reason. */
  readonly ended: Promise<void>;

  private constructor(readonly socket: TcpSocket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#over = true;
        this.#wake();
        resolve();
      };
      socket.on('end', end);
      socket.on('close', end);
    });
  }

  static async to(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawConnection(socket);
  }

  get isOver(): boolean {
    return this.#over;
  }

  write(data: string | Uint8Array): void {
    this.#written = Buffer.concat([this.#written, typeof data === 'string' ? Buffer.from(data, 'latin1') : data]);
    this.socket.write(data);
  }

  /**
   * The next answer on this connection.
   *
   * @param request what it answers, where that is known
   */
  async answer(method = 'POST', request?: WireRequest): Promise<Answer> {
    const read = async () => {
      for (;;) {
        const parsed = parseAnswer(this.#received, method, this.#over);
        if (parsed !== undefined) {
          this.#received = this.#received.subarray(parsed.length);
          if (parsed.answer.status < 200) continue;
          this.#report(parsed.answer, request);
          return parsed.answer;
        }
        if (this.#over) throw new Error(`the connection ended without an answer: ${this.#received.toString('latin1')}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    };
    return withAnswerTimeout(read(), 'an HTTP answer');
  }

  /** Ends the connection at once, as a client that crashes. */
  destroy(): void {
    this.socket.destroy();
  }

  #report({ status, headers, text }: Answer, request: WireRequest | undefined): void {
    const { method, target, end } = findRequestLine(this.#written);
    // Later requests on this connection come behind this line.
    this.#written = this.#written.subarray(end);
    const requestHeaders =
      request && Object.fromEntries(request.headers.map(([name, value]) => [name.toLowerCase(), value]));
    const requestBody = request?.body;
    reportExchange({ method, target, requestHeaders, requestBody, status, headers, body: Buffer.from(text) });
  }
}

const MAX_METHOD_CHARACTERS = 32;

/** The first request line in these bytes: empty texts where there is none. `end` is the position behind it. */
function findRequestLine(bytes: Buffer): { readonly method: string; readonly target: string; readonly end: number } {
  // By the bytes, because a test may have written hundreds of requests, or megabytes.
  const version = bytes.indexOf(' HTTP/1.');
  if (version < 0) return { method: '', target: '', end: 0 };
  const end = version + ' HTTP/1.1'.length;
  const line = bytes.toString('latin1', bytes.lastIndexOf('\n', version) + 1, end);
  // What comes before it in the line is the end of an earlier body.
  // Without a pattern over all of it: matching a line of megabytes can use up the stack.
  const words = line.slice(0, line.lastIndexOf(' HTTP/1.'));
  const space = words.lastIndexOf(' ');
  const [method = ''] =
    /[A-Z]+$/.exec(words.slice(Math.max(0, space - MAX_METHOD_CHARACTERS), Math.max(0, space))) ?? [];
  return { method, target: method === '' ? '' : words.slice(space + 1), end };
}

function parseAnswer(bytes: Buffer, method: string, over: boolean): { answer: Answer; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const start = headEnd + 4;
  const done = (text: string, length: number) => ({ answer: { status, headers, text }, length });
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return done('', start);
  if (headers['transfer-encoding'] === 'chunked') {
    let text = '';
    for (let at = start; ; ) {
      const lineEnd = bytes.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
      if (bytes.length < lineEnd + 2 + size + 2) return undefined;
      if (size === 0) return done(text, lineEnd + 4);
      text += bytes.toString('utf8', lineEnd + 2, lineEnd + 2 + size);
      at = lineEnd + 2 + size + 2;
    }
  }
  if (headers['content-length'] === undefined)
    return over ? done(bytes.toString('utf8', start), bytes.length) : undefined;
  const length = start + Number(headers['content-length']);
  return bytes.length < length ? undefined : done(bytes.toString('utf8', start, length), length);
}

/** The bytes of a request: Host and Content-Length are added unless the test gave its own. */
export function encodeRequest({ method, path, headers, body }: WireRequest): Buffer {
  const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name);
  const all: Header[] = [...(has('host') ? [] : [['Host', '127.0.0.1'] as const]), ...headers];
  if (body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    all.push(['Content-Length', String(body.length)]);
  }
  const head = [`${method} ${path} HTTP/1.1`, ...all.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

/** One request on a connection of its own. */
export async function sendRaw(port: number, request: WireRequest | string | Uint8Array): Promise<Answer> {
  const wire = await RawConnection.to(port);
  try {
    const isRaw = typeof request === 'string' || request instanceof Uint8Array;
    wire.write(isRaw ? request : encodeRequest(request));
    return await (isRaw ? wire.answer() : wire.answer(request.method, request));
  } finally {
    wire.destroy();
  }
}

/** A request with one header replaced by any number of values: none removes it. */
export function withHeader(request: WireRequest, name: string, ...values: string[]): WireRequest {
  const others = request.headers.filter(([given]) => given.toLowerCase() !== name.toLowerCase());
  return { ...request, headers: [...others, ...values.map((value): Header => [name, value])] };
}

export function getHeader(request: WireRequest, name: string): string {
  return request.headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1] ?? '';
}

/** One identity. */
export class RawClient {
  readonly keys: Keys;
  readonly identityKey: string;

  constructor(readonly privateKey: Uint8Array = randomBytes(32)) {
    this.keys = createKeys(privateKey, loadCurve());
    this.identityKey = this.keys.identityKey;
  }

  /** A handshake as a client begins it. */
  initialRequest(): Record<string, unknown> {
    return {
      version: '0.1',
      messageType: 'initialRequest',
      identityKey: this.identityKey,
      initialNonce: randomBytes(48).toString('base64'),
      requestedCertificates: { certifiers: [], types: {} },
    };
  }

  /** The answer to a server's initialRequest, and the session that it begins. */
  answerInitialRequest(request: { readonly identityKey: string; readonly initialNonce: string }): {
    readonly response: Record<string, unknown>;
    readonly session: Session;
  } {
    const { identityKey, initialNonce: theirs } = request;
    const ours = randomBytes(48).toString('base64');
    const data = Buffer.concat([Buffer.from(theirs, 'base64'), Buffer.from(ours, 'base64')]);
    const signature = this.keys.sign(data, { ...PROTOCOL, keyID: `${theirs} ${ours}`, counterparty: identityKey });
    return {
      response: {
        version: '0.1',
        messageType: 'initialResponse',
        identityKey: this.identityKey,
        initialNonce: ours,
        yourNonce: theirs,
        signature: Array.from(signature),
      },
      session: new Session(this, identityKey, theirs, ours),
    };
  }

  async shakeHands(port: number): Promise<Session> {
    const { status, text } = await sendRaw(port, {
      method: 'POST',
      path: '/.well-known/auth',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from(JSON.stringify(this.initialRequest())),
    });
    if (status !== 200) throw new Error(`The handshake was refused: ${text}`);
    return Session.from(this, JSON.parse(text));
  }
}

export interface Draft {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly Header[];
  readonly body?: Uint8Array | undefined;
}

/** The nonces of a handshake, and the requests and frames that are signed with them. */
export class Session {
  constructor(
    readonly client: RawClient,
    readonly serverKey: string,
    readonly serverNonce: string,
    readonly clientNonce: string,
  ) {}

  /** @param response an initialResponse, whose signature is checked */
  static from(client: RawClient, response: unknown): Session {
    const { identityKey, initialNonce, yourNonce, signature } = response as Record<string, string> & {
      signature: number[];
    };
    if (identityKey === undefined || initialNonce === undefined || yourNonce === undefined) {
      throw new Error(`This is no initialResponse: ${JSON.stringify(response)}`);
    }
    const data = Buffer.concat([Buffer.from(yourNonce, 'base64'), Buffer.from(initialNonce, 'base64')]);
    const use = { ...PROTOCOL, keyID: `${yourNonce} ${initialNonce}`, counterparty: identityKey };
    if (!client.keys.verify(data, Uint8Array.from(signature), use)) throw new Error('The server has not signed this');
    return new Session(client, identityKey, initialNonce, yourNonce);
  }

  /** The same session, but under another of the server's nonces. */
  under(serverNonce: string): Session {
    return new Session(this.client, this.serverKey, serverNonce, this.clientNonce);
  }

  /** A signed request. */
  sign({ method = 'POST', path, headers = [], body }: Draft): WireRequest {
    const requestId = randomBytes(32);
    const nonce = randomBytes(32).toString('base64');
    const payload = encodeRequestPayload(requestId, method, path, headers, body);
    const signature = this.#sign(nonce, payload);
    return {
      method,
      path,
      body,
      headers: [
        ...headers,
        ['x-bsv-auth-version', '0.1'],
        ['x-bsv-auth-identity-key', this.client.identityKey],
        ['x-bsv-auth-nonce', nonce],
        ['x-bsv-auth-your-nonce', this.serverNonce],
        ['x-bsv-auth-signature', Buffer.from(signature).toString('hex')],
        ['x-bsv-auth-request-id', requestId.toString('base64')],
      ],
    };
  }

  /** A signed POST of JSON: a value, or the very text or bytes. */
  post(path: string, body: object | string | Uint8Array): WireRequest {
    const bytes =
      body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    return this.sign({ path, headers: [['Content-Type', 'application/json']], body: bytes });
  }

  /** Whether the answer is signed by the server, for this request and this session. */
  isSigned(request: WireRequest, answer: Answer): boolean {
    const header = (name: string) => answer.headers[`x-bsv-auth-${name}`] ?? '';
    if (header('request-id') !== getHeader(request, 'x-bsv-auth-request-id')) return false;
    if (header('your-nonce') !== this.clientNonce || header('identity-key') !== this.serverKey) return false;
    const body = Buffer.from(answer.text);
    const payload = Buffer.concat([
      Buffer.from(header('request-id'), 'base64'),
      encodeVarint(answer.status),
      encodeVarint(0),
      encodeVarint(body.length),
      body,
    ]);
    return this.verifies(header('nonce'), payload, Buffer.from(header('signature'), 'hex'));
  }

  /** A signed frame that carries an app's event. */
  event(eventName: unknown, data?: unknown): Record<string, unknown> {
    return this.frame(Buffer.from(JSON.stringify({ eventName, data })));
  }

  /** A signed frame around any payload. */
  frame(payload: Uint8Array): Record<string, unknown> {
    const nonce = randomBytes(32).toString('base64');
    return {
      version: '0.1',
      messageType: 'general',
      identityKey: this.client.identityKey,
      nonce,
      yourNonce: this.serverNonce,
      payload: Array.from(payload),
      signature: Array.from(this.#sign(nonce, payload)),
    };
  }

  verifies(nonce: string, payload: Uint8Array, signature: Uint8Array): boolean {
    const use = { ...PROTOCOL, keyID: `${nonce} ${this.clientNonce}`, counterparty: this.serverKey };
    return this.client.keys.verify(payload, signature, use);
  }

  #sign(nonce: string, payload: Uint8Array): Uint8Array {
    const use = { ...PROTOCOL, keyID: `${nonce} ${this.serverNonce}`, counterparty: this.serverKey };
    return this.client.keys.sign(payload, use);
  }
}

/** The bytes of a request that BRC-104 signs. */
export function encodeRequestPayload(
  requestId: Uint8Array,
  method: string,
  path: string,
  headers: readonly Header[],
  body: Uint8Array | undefined,
): Buffer {
  const question = path.indexOf('?');
  const signed = headers
    .map(([name, value]): Header => [name.toLowerCase(), value])
    .filter(([name]) => name === 'content-type' || name === 'authorization' || name.startsWith('x-bsv-'))
    .map(([name, value]): Header => [name, name === 'content-type' ? (value.split(';')[0] ?? '').trim() : value])
    .sort(([a], [b]) => a.localeCompare(b));
  return Buffer.concat([
    requestId,
    ...encodeText(method),
    ...encodeText(question < 0 ? path : path.slice(0, question)),
    ...(question < 0 ? [NO_VALUE] : encodeText(path.slice(question))),
    encodeVarint(signed.length),
    ...signed.flatMap(([name, value]) => [...encodeText(name), ...encodeText(value)]),
    ...(body === undefined || body.length === 0 ? [NO_VALUE] : [encodeVarint(body.length), body]),
  ]);
}

const NO_VALUE = Buffer.alloc(9, 0xff);

function encodeText(value: string): Buffer[] {
  const bytes = Buffer.from(value);
  return [encodeVarint(bytes.length), bytes];
}

function encodeVarint(value: number): Buffer {
  if (value < 0xfd) return Buffer.of(value);
  const bytes = Buffer.alloc(value <= 0xffff ? 3 : 5);
  bytes[0] = value <= 0xffff ? 0xfd : 0xfe;
  if (value <= 0xffff) bytes.writeUInt16LE(value, 1);
  else bytes.writeUInt32LE(value, 1);
  return bytes;
}

/** Something that a socket received: an app's event whose signature was verified, or any other socket.io event. */
export interface Received {
  readonly signed: boolean;
  readonly name: string;
  readonly data: unknown;
}

/** A socket.io connection that sends whatever it is told, and keeps what comes. */
export class RawSocket {
  /** Events that have arrived and that no test has taken yet. */
  readonly received: Received[] = [];
  session: Session | undefined;
  /** Whether the server's questions are answered, as clients do, once there is a session. Else they are received. */
  answersQuestions = true;
  /** Nonces of the server's questions that were answered. */
  readonly answered: string[] = [];
  readonly #begunByServer: Session[] = [];
  /** When the connection has ended; with socket.io's reason. */
  readonly closed: Promise<string>;
  #wake: (() => void)[] = [];
  #pollingId: string | undefined;

  private constructor(readonly io: Socket) {
    reportSocket(io);
    const { engine } = io.io as unknown as { engine: { id: string; transport: { name: string } } };
    io.on('connect', () => {
      if (engine.transport.name === 'polling') this.#pollingId = engine.id;
    });
    io.onAny((name: string, data: unknown) => {
      if (this.#answer(name, data)) return;
      this.received.push(this.#read(name, data));
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      io.once('disconnect', (reason) => {
        resolve(reason);
        for (const wake of this.#wake.splice(0)) wake();
      });
    });
  }

  static async open(url: string, transports: string[] = ['websocket']): Promise<RawSocket> {
    const io = connectSocketIo(url, { transports, forceNew: true, reconnection: false });
    const socket = new RawSocket(io);
    await withAnswerTimeout(
      new Promise<void>((resolve, reject) => {
        io.once('connect', resolve);
        io.once('connect_error', (error) => {
          io.disconnect();
          reject(error);
        });
      }),
      'a connection',
    );
    return socket;
  }

  /** A connection that has shaken hands and proven its identity. */
  static async proven(url: string, client: RawClient, transports?: string[]): Promise<RawSocket> {
    const socket = await RawSocket.open(url, transports);
    await socket.shakeHands(client);
    socket.event('authenticated', { identityKey: client.identityKey });
    await socket.waitFor('authenticationSuccess');
    return socket;
  }

  get connected(): boolean {
    return this.io.connected;
  }

  /** engine.io's session, when it goes by long polling. */
  get pollingId(): string | undefined {
    return this.#pollingId;
  }

  async shakeHands(client: RawClient): Promise<Session> {
    this.send(client.initialRequest());
    const { data } = await this.waitFor('authMessage');
    this.session = Session.from(client, data);
    return this.session;
  }

  /** Sends a frame, or what a test takes for one. */
  send(...args: unknown[]): void {
    this.io.emit('authMessage', ...args);
  }

  /** Sends an event, signed as it should be. */
  event(eventName: unknown, data?: unknown): void {
    if (this.session === undefined) throw new Error('Shake hands first');
    this.send(this.session.event(eventName, data));
  }

  /** Writes a socket.io packet as text, past the encoder of the client. */
  packet(text: string): void {
    (this.io.io.engine as unknown as { write(data: string): void }).write(text);
  }

  /** Takes the first thing of this name, come already or still to come. */
  async waitFor(name: string): Promise<Received> {
    const waited = async () => {
      for (;;) {
        const at = this.received.findIndex((one) => one.name === name);
        const [found] = at < 0 ? [] : this.received.splice(at, 1);
        if (found !== undefined) return found;
        if (!this.io.connected) throw new Error(`the connection ended before ${name} came`);
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    return withAnswerTimeout(waited(), name, () => JSON.stringify(this.received));
  }

  close(): void {
    this.io.disconnect();
  }

  #answer(name: string, data: unknown): boolean {
    const frame = data as { messageType?: string; identityKey: string; initialNonce: string } | null;
    if (!this.answersQuestions || this.session === undefined) return false;
    if (name !== 'authMessage' || frame?.messageType !== 'initialRequest') return false;
    const { response, session } = this.session.client.answerInitialRequest(frame);
    this.#begunByServer.push(session);
    this.answered.push(frame.initialNonce);
    this.send(response);
    return true;
  }

  #read(name: string, data: unknown): Received {
    const frame = data as { messageType?: string; nonce: string; payload: number[]; signature: number[] } | null;
    if (name !== 'authMessage' || frame?.messageType !== 'general') return { signed: false, name, data };
    const payload = Uint8Array.from(frame.payload);
    const sessions = this.session === undefined ? [] : [this.session, ...this.#begunByServer];
    if (!sessions.some((session) => session.verifies(frame.nonce, payload, Uint8Array.from(frame.signature)))) {
      return { signed: false, name: 'an event that was not signed for us', data };
    }
    const event = JSON.parse(Buffer.from(payload).toString()) as { eventName: string; data: unknown };
    return { signed: true, name: event.eventName, data: event.data };
  }
}

/** Fails with a reason rather than hanging. */
export async function withAnswerTimeout<T>(promise: Promise<T>, what: string, detail = () => ''): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not come within ${ANSWER_TIMEOUT_MS} ms ${detail()}`)),
      ANSWER_TIMEOUT_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
