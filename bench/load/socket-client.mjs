import { io } from 'socket.io-client';
import { AuthClient, randomIdentity } from './auth-client.mjs';

const ANSWER_TIMEOUT_MS = 30_000;

/** A client with one identity on one websocket. It sends signed events, and receives responses and pushes. */
export class SocketClient {
  #auth;
  #socket;
  /** @type {Map<string, (data: any) => void>} */
  #listeners = new Map();
  #received = 0;
  pings = 0;
  /** The room that the client has joined. */
  room = '';

  /** @param verifyEach verifies the signature of one in so many events; 1 means all of them */
  constructor(url, verifyEach, identity) {
    this.#auth = new AuthClient(identity);
    this.#socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, multiplex: false });
    this.#socket.on('authMessage', (message) => this.#receive(message, verifyEach));
    this.#socket.io.on('ping', () => {
      this.pings += 1;
    });
  }

  get identityKey() {
    return this.#auth.identityKey;
  }

  get connected() {
    return this.#socket.connected;
  }

  /** Connects, makes a handshake, authenticates, and joins a room of the client. */
  static async open(url, { box = 'inbox', verifyEach = 1, identity = randomIdentity() } = {}) {
    const client = new SocketClient(url, verifyEach, identity);
    try {
      await client.#begin(box);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** @param {string} box */
  async #begin(box) {
    await this.#soon('connecting', (resolve, reject) => {
      this.#socket.once('connect', () => resolve(undefined));
      this.#socket.once('connect_error', reject);
    });
    await this.#soon('the handshake', (resolve) => {
      this.#listeners.set('', resolve);
      this.#socket.emit('authMessage', this.#auth.initialRequest());
    });
    const answer = await this.#ask('authenticated', { identityKey: this.identityKey }, 'authenticationSuccess');
    if (answer.status !== 'success') throw new Error('A socket was not authenticated');
    const room = `${this.identityKey}-${box}`;
    await this.#ask('joinRoom', room, 'joinedRoom');
    this.room = room;
  }

  /** @param {string} eventName @param {(data: any) => void} listener replaces an earlier one for the same event */
  on(eventName, listener) {
    this.#listeners.set(eventName, listener);
  }

  emit(eventName, data) {
    const payload = Buffer.from(JSON.stringify({ eventName, data }));
    const { nonce, signature } = this.#auth.sign(payload);
    this.#socket.emit('authMessage', {
      version: '0.1',
      messageType: 'general',
      identityKey: this.identityKey,
      nonce,
      yourNonce: this.#auth.serverNonce,
      payload: Array.from(payload),
      signature: Array.from(signature),
    });
  }

  close() {
    this.#socket.disconnect();
  }

  #receive(message, verifyEach) {
    if (message.messageType === 'initialResponse') {
      this.#auth.acceptHandshake(message);
      this.#listeners.get('')?.(undefined);
      return;
    }
    // The server sends fences to find out whether its client keeps up, and continues after the answer.
    if (message.messageType === 'initialRequest') this.#socket.emit('authMessage', this.#auth.answer(message));
    if (message.messageType !== 'general') return;
    const payload = Uint8Array.from(message.payload);
    if (this.#received++ % verifyEach === 0) {
      this.#auth.mustVerify({ ...message, payload, signature: Uint8Array.from(message.signature) });
    }
    const { eventName, data } = JSON.parse(Buffer.from(payload).toString());
    this.#listeners.get(eventName)?.(data);
  }

  #ask(eventName, data, answerName) {
    return this.#soon(eventName, (resolve) => {
      this.#listeners.set(answerName, resolve);
      this.emit(eventName, data);
    });
  }

  #soon(what, begin) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${what} took longer than ${ANSWER_TIMEOUT_MS} ms`)),
        ANSWER_TIMEOUT_MS,
      );
      const settled = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      begin(settled(resolve), settled(reject));
    });
  }
}
