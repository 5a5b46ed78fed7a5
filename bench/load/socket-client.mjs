import { io } from 'socket.io-client';
import { AuthClient } from './auth-client.mjs';

const PATIENCE_MS = 30_000;

/** One identity on one websocket: signed events out, answers and pushes in. */
export class SocketClient {
  #auth = new AuthClient();
  #socket;
  /** @type {Map<string, (data: any) => void>} */
  #listeners = new Map();
  #received = 0;
  pings = 0;
  /** The room that it has joined: its identity and a box. */
  room = '';

  /** Every so many events the signature is verified; 1 is all of them. */
  constructor(url, verifyEach) {
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

  /** Connects, shakes hands, authenticates and joins a room of its own. */
  static async open(url, { box = 'inbox', verifyEach = 1 } = {}) {
    const client = new SocketClient(url, verifyEach);
    await client.#soon('connecting', (resolve, reject) => {
      client.#socket.once('connect', () => resolve(undefined));
      client.#socket.once('connect_error', reject);
    });
    await client.#soon('the handshake', (resolve) => {
      client.#listeners.set('', resolve);
      client.#socket.emit('authMessage', client.#auth.initialRequest());
    });
    const answer = await client.#ask('authenticated', { identityKey: client.identityKey }, 'authenticationSuccess');
    if (answer.status !== 'success') throw new Error('A socket was not authenticated');
    const room = `${client.identityKey}-${box}`;
    await client.#ask('joinRoom', room, 'joinedRoom');
    client.room = room;
    return client;
  }

  /** @param {string} eventName @param {(data: any) => void} listener one for each event, the last one wins */
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
    // The server asks every so many frames whether its client keeps up, and goes on when it hears that it does.
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
      const timer = setTimeout(() => reject(new Error(`${what} took longer than ${PATIENCE_MS} ms`)), PATIENCE_MS);
      const settled = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      begin(settled(resolve), settled(reject));
    });
  }
}
