import { connect } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * A kept-alive HTTP/1.1 connection with one request at a time. It only reads responses with a Content-Length. A general client
 * would use as much CPU as the server under test.
 */
export class HttpConnection {
  #socket;
  #received = Buffer.alloc(0);
  /** @type {{resolve: (answer: any) => void, reject: (error: Error) => void} | undefined} */
  #waiting;

  /** @param {string} url */
  static async open(url) {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', () => resolve(undefined)).once('error', reject));
    return new HttpConnection(socket, `${hostname}:${port}`);
  }

  constructor(socket, host) {
    this.host = host;
    this.#socket = socket;
    const fail = (error) => this.#settle('reject', error);
    socket.on('data', (chunk) => {
      try {
        this.#take(chunk);
      } catch (error) {
        fail(error);
      }
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('The server closed a connection')));
  }

  /**
   * @param {string} path
   * @param {string} headers lines that end in CRLF
   * @param {Buffer} body
   * @returns {Promise<{status: number, head: string, body: Buffer}>}
   */
  post(path, headers, body) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const head = `POST ${path} HTTP/1.1\r\nHost: ${this.host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n`;
      this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    });
  }

  close() {
    this.#socket.destroy();
  }

  #take(chunk) {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`A response has no Content-Length:\n${head}`);
    const bodyAt = headEnd + HEAD_END.length;
    const end = bodyAt + Number(length);
    if (this.#received.length < end) return;
    const body = this.#received.subarray(bodyAt, end);
    this.#received = this.#received.subarray(end);
    this.#settle('resolve', { status: Number(head.slice(9, 12)), head, body });
  }

  #settle(how, value) {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.[how](value);
  }
}
