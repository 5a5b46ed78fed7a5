import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type RawClient, Session } from '@messagebox/test-support/raw-client';
import { connectEndpoint, type Endpoint, LOCAL, type Source, sourceHeaders } from './endpoint.ts';

const PROTOCOL = { securityLevel: 2, protocol: 'auth message signature' } as const;
const TEXT = 0x81;

/** An event that was signed by the server, for this connection. */
export interface LiveEvent {
  readonly eventName: string;
  readonly data: unknown;
}

interface Waiting {
  readonly accepts: (text: string) => boolean;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A socket.io connection over a websocket, byte by byte: it can stop in the middle of a frame, stay silent, or send
 * packets that no client sends. When it has an identity it also answers the server's own initialRequests, as clients do.
 */
export class WebsocketConnection {
  session: Session | undefined;
  /** Called with every signed event. */
  onEvent: (event: LiveEvent) => void = () => undefined;
  readonly ended: Promise<void>;
  #client: RawClient | undefined;
  #received: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #deaf = false;
  #waiting: Waiting[] = [];

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => this.#take(chunk));
    this.ended = new Promise((resolve) => {
      const end = () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('The server ended the connection'));
        resolve();
      };
      socket.on('end', end).on('close', end);
    });
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && !this.socket.readableEnded;
  }

  /** Upgrades, and waits until engine.io has opened its session. Namespaces are the caller's business. */
  static async open(endpoint: Endpoint, source: Source = LOCAL): Promise<WebsocketConnection> {
    const wire = new WebsocketConnection(await connectEndpoint(endpoint, source));
    const opened = wire.next((text) => text.startsWith('0'));
    wire.socket.write(
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n' +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${sourceHeaders(source)}` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    await opened;
    return wire;
  }

  /** A connection that has joined the namespace `/` and proven its identity. @throws {Error} when it is refused */
  static async proven(endpoint: Endpoint, client: RawClient, source: Source = LOCAL): Promise<WebsocketConnection> {
    const wire = await WebsocketConnection.open(endpoint, source);
    try {
      const joined = wire.next((text) => text.startsWith('40') || text.startsWith('44'));
      wire.send('40');
      const answer = await joined;
      if (answer.startsWith('44')) throw new Error(`The namespace was refused: ${answer.slice(0, 200)}`);
      const response = wire.next((text) => text.startsWith('42["authMessage"'));
      wire.send(encodePacket(client.initialRequest()));
      wire.#client = client;
      wire.session = Session.from(client, (JSON.parse((await response).slice(2)) as [string, unknown])[1]);
      const accepted = new Promise<void>((resolve, reject) => {
        wire.onEvent = ({ eventName }) => (eventName === 'authenticationSuccess' ? resolve() : undefined);
        void wire.ended.then(() => reject(new Error('The connection ended before it was authenticated')));
        setTimeout(reject, 20_000, new Error('No authenticationSuccess came in time')).unref();
      });
      wire.event('authenticated', { identityKey: client.identityKey });
      await accepted;
      return wire;
    } catch (error) {
      wire.destroy();
      throw error;
    }
  }

  /** Sends an event, signed. */
  event(eventName: string, data: unknown): void {
    if (this.session === undefined) throw new Error('This connection has no session');
    this.send(encodePacket(this.session.event(eventName, data)));
  }

  /** Sends an engine.io packet as one frame. */
  send(text: string): void {
    this.socket.write(encodeTextFrame(text));
  }

  /** The next engine.io packet that is accepted. */
  async next(accepts: (text: string) => boolean, patienceMs = 20_000): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#waiting.push({ accepts, resolve, reject });
        timer = setTimeout(() => reject(new Error('The expected packet did not come in time')), patienceMs);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** From now on what comes is read and forgotten: no packet is answered, pings neither. */
  stopReading(): void {
    this.#deaf = true;
    this.#received = Buffer.alloc(0);
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.#deaf) return;
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (!this.#upgraded) {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = this.#received.toString('latin1', 0, headEnd);
      if (!head.startsWith('HTTP/1.1 101')) {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(`No upgrade: ${head.split('\r\n')[0]}`));
        this.destroy();
        return;
      }
      this.#upgraded = true;
      this.#received = this.#received.subarray(headEnd + 4);
    }
    for (;;) {
      const frame = readFrame(this.#received);
      if (frame === undefined) return;
      this.#received = this.#received.subarray(frame.end);
      if (frame.opcode === 1) this.#read(frame.payload.toString());
    }
  }

  #read(text: string): void {
    if (text === '2') {
      this.send('3');
      return;
    }
    const at = this.#waiting.findIndex(({ accepts }) => accepts(text));
    if (at >= 0) {
      this.#waiting.splice(at, 1)[0]?.resolve(text);
      return;
    }
    if (!text.startsWith('42["authMessage"')) return;
    const frame = (JSON.parse(text.slice(2)) as [string, ServerFrame])[1];
    if (frame.messageType === 'initialRequest') this.#answer(frame.initialNonce);
    else if (frame.messageType === 'general') {
      this.onEvent(JSON.parse(Buffer.from(frame.payload).toString()) as LiveEvent);
    }
  }

  /** BRC-103: the answer to an initialRequest, under a nonce of ours for the occasion. */
  #answer(serverNonce: string): void {
    const { session } = this;
    if (session === undefined || this.#client === undefined) return;
    const initialNonce = randomBytes(48).toString('base64');
    const data = Buffer.concat([Buffer.from(serverNonce, 'base64'), Buffer.from(initialNonce, 'base64')]);
    const use = { ...PROTOCOL, keyID: `${serverNonce} ${initialNonce}`, counterparty: session.serverKey };
    this.send(
      encodePacket({
        version: '0.1',
        messageType: 'initialResponse',
        identityKey: this.#client.identityKey,
        initialNonce,
        yourNonce: serverNonce,
        requestedCertificates: { certifiers: [], types: {} },
        signature: Array.from(this.#client.keys.sign(data, use)),
      }),
    );
    this.session = session.under(serverNonce);
  }
}

interface ServerFrame {
  readonly messageType: string;
  readonly initialNonce: string;
  readonly payload: number[];
}

/** A frame of BRC-103 as socket.io sends it in the namespace `/`. */
export function encodePacket(frame: object): string {
  return `42${JSON.stringify(['authMessage', frame])}`;
}

/** A websocket frame of text from a client: masked, as it must be, by zeros. */
export function encodeTextFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([encodeFrameHeader(payload.length), payload]);
}

/** The head of a text frame of so many bytes. */
export function encodeFrameHeader(bytes: number): Buffer {
  const head = Buffer.alloc(14);
  head[0] = TEXT;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(bytes), 2);
  return head;
}

function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const opcode = (bytes[0] ?? 0) & 0x0f;
  let length = (bytes[1] ?? 0) & 0x7f;
  let start = 2;
  if (length === 126) {
    if (bytes.length < 4) return undefined;
    length = bytes.readUInt16BE(2);
    start = 4;
  } else if (length === 127) {
    if (bytes.length < 10) return undefined;
    length = Number(bytes.readBigUInt64BE(2));
    start = 10;
  }
  const end = start + length;
  return bytes.length < end ? undefined : { opcode, payload: bytes.subarray(start, end), end };
}
