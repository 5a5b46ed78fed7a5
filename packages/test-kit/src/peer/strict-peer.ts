import { createHash, randomBytes } from 'node:crypto';
import {
  type AuthMessage,
  type Bytes,
  checkAuthMessage,
  type GeneralMessage,
  type InitialRequest,
  type InitialResponse,
  MESSAGE_NONCE_BYTES,
} from '../message/auth-message.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { isOwnNonce, mintClientNonce } from '../wallet/client-nonce.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { type ClientSession, SessionTable } from './session-table.js';

const PROTOCOL: [2, string] = [2, 'auth message signature'];
const HANDSHAKE_TIMEOUT_MS = 30_000;

/** The argument of `new StrictPeer()`. */
export interface StrictPeerOptions {
  readonly wallet: ClientWallet;
  /** Sends a message to the server. Rejects when that fails. */
  readonly transmit: (message: AuthMessage) => Promise<void>;
  /** Called with the payload and the signer of a verified message. */
  readonly onPayload: (sender: string, payload: Bytes) => Promise<void>;
  readonly sessions?: SessionTable;
  /** How long a handshake waits for its answer. Milliseconds. Default: 30,000. */
  readonly handshakeTimeoutMs?: number;
}

interface PendingHandshake {
  resolve(session: ClientSession): void;
  reject(error: Error): void;
}

/**
 * The client side of BRC-103, as strict as that of current clients. Every message is checked before it is handled. `receive`
 * throws for the first message that breaks a rule, and then the transport closes its connection.
 */
export class StrictPeer {
  readonly #wallet: ClientWallet;
  readonly #transmit: StrictPeerOptions['transmit'];
  readonly #onPayload: StrictPeerOptions['onPayload'];
  readonly #sessions: SessionTable;
  readonly #timeoutMs: number;
  readonly #handshakes = new Map<string, PendingHandshake>();
  #identityKey: string | undefined;
  /** The last identity that has answered a handshake of this client. Messages without a receiver are sent to it. */
  #lastPeer: string | undefined;
  /** How many handshakes this client has begun. */
  handshakesBegun = 0;

  constructor({ wallet, transmit, onPayload, sessions, handshakeTimeoutMs }: StrictPeerOptions) {
    this.#wallet = wallet;
    this.#transmit = transmit;
    this.#onPayload = onPayload;
    this.#sessions = sessions ?? new SessionTable();
    this.#timeoutMs = handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
  }

  /**
   * Signs a payload and sends it. Without an authenticated session, each call makes a handshake first. Calls do not wait for
   * the handshakes of other calls.
   *
   * @param receiver an identity key. Default: the identity that answered the last handshake
   */
  async send(payload: Bytes, receiver: string | undefined = this.#lastPeer): Promise<void> {
    const known = receiver === undefined ? undefined : this.#sessions.select(receiver);
    const session = known?.authenticated === true ? known : await this.#shakeHands(receiver);
    const { peer, peerNonce } = session;
    if (peer === undefined || peerNonce === undefined)
      throw new Error('The handshake did not tell the identity of the server.');
    const nonce = randomBytes(MESSAGE_NONCE_BYTES).toString('base64');
    const message: GeneralMessage = {
      version: '0.1',
      messageType: 'general',
      identityKey: await this.#ownKey(),
      nonce,
      yourNonce: peerNonce,
      payload,
      signature: await this.#sign(payload, `${nonce} ${peerNonce}`, peer),
    };
    this.#sessions.touch(session);
    await this.#transmit(message);
  }

  /**
   * Handles a frame from the server.
   *
   * @throws ProtocolViolationError when current clients would give up
   */
  async receive(frame: unknown): Promise<void> {
    const message = checkAuthMessage(frame);
    if (message.messageType === 'initialRequest') await this.#answerHandshake(message);
    else if (message.messageType === 'initialResponse') await this.#completeHandshake(message);
    else await this.#handleGeneralMessage(message);
  }

  /** Rejects all handshakes in progress, because no more answers will arrive. */
  abandon(error: Error): void {
    for (const { reject } of [...this.#handshakes.values()]) reject(error);
  }

  async #shakeHands(peer: string | undefined): Promise<ClientSession> {
    this.handshakesBegun += 1;
    const ownNonce = await mintClientNonce(this.#wallet);
    this.#sessions.add(ownNonce, peer);
    const request: InitialRequest = {
      version: '0.1',
      messageType: 'initialRequest',
      identityKey: await this.#ownKey(),
      initialNonce: ownNonce,
      requestedCertificates: { certifiers: [], types: {} },
    };
    const answered = this.#awaitAnswer(ownNonce);
    try {
      await this.#transmit(request);
      return await answered;
    } catch (error) {
      this.#sessions.remove(ownNonce);
      throw error;
    }
  }

  #awaitAnswer(ownNonce: string): Promise<ClientSession> {
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<ClientSession>((resolve, reject) => {
      this.#handshakes.set(ownNonce, { resolve, reject });
      timer = setTimeout(() => {
        reject(new ProtocolViolationError('9.13', `a handshake was not answered within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      timer.unref();
    });
    const forgotten = answered.finally(() => {
      clearTimeout(timer);
      this.#handshakes.delete(ownNonce);
    });
    // The caller may still be sending when this fails, and gets the error afterwards.
    forgotten.catch(() => {});
    return forgotten;
  }

  async #answerHandshake({ identityKey, initialNonce }: InitialRequest): Promise<void> {
    this.#sessions.claimHandshake(identityKey, initialNonce);
    const ownNonce = await mintClientNonce(this.#wallet);
    // The server has not signed anything yet, so the session is used only after a message in it was verified.
    this.#sessions.add(ownNonce, identityKey, initialNonce);
    await this.#transmit({
      version: '0.1',
      messageType: 'initialResponse',
      identityKey: await this.#ownKey(),
      initialNonce: ownNonce,
      yourNonce: initialNonce,
      requestedCertificates: { certifiers: [], types: {} },
      signature: await this.#sign(joinNonces(initialNonce, ownNonce), `${initialNonce} ${ownNonce}`, identityKey),
    });
  }

  async #completeHandshake(message: InitialResponse): Promise<void> {
    const session = await this.#requireSession(message);
    const { identityKey, initialNonce, signature } = message;
    if (session.peer !== undefined && session.peer !== identityKey) {
      throw new ProtocolViolationError('2', 'a handshake was answered by another identity than the requested one');
    }
    const data = joinNonces(session.ownNonce, initialNonce);
    await this.#verify(data, signature, `${session.ownNonce} ${initialNonce}`, identityKey, 'initialResponse');
    this.#sessions.claimMessage(session, initialNonce);
    session.peer = identityKey;
    session.peerNonce = initialNonce;
    session.authenticated = true;
    this.#sessions.touch(session);
    this.#lastPeer = identityKey;
    this.#handshakes.get(session.ownNonce)?.resolve(session);
  }

  async #handleGeneralMessage(message: GeneralMessage): Promise<void> {
    const session = await this.#requireSession(message);
    const { identityKey, nonce, payload, signature } = message;
    if (session.peer !== identityKey) {
      throw new ProtocolViolationError('2', 'a message names another identity than its session');
    }
    await this.#verify(payload, signature, `${nonce} ${session.ownNonce}`, identityKey, 'general message');
    this.#sessions.claimMessage(session, nonce);
    session.authenticated = true;
    this.#sessions.touch(session);
    await this.#onPayload(identityKey, payload);
  }

  async #requireSession({ messageType, yourNonce }: InitialResponse | GeneralMessage): Promise<ClientSession> {
    if (!(await isOwnNonce(this.#wallet, yourNonce))) {
      throw new ProtocolViolationError(
        '2',
        `a message of type ${messageType} names a nonce that this client has never made`,
      );
    }
    const session = this.#sessions.get(yourNonce);
    if (session === undefined) {
      throw new ProtocolViolationError('9.12', `a message of type ${messageType} belongs to a forgotten session`);
    }
    return session;
  }

  async #sign(data: Bytes, keyID: string, counterparty: string): Promise<number[]> {
    const signed = await this.#wallet.createSignature({
      hashToDirectlySign: sha256(data),
      protocolID: PROTOCOL,
      keyID,
      counterparty,
    });
    return signed.signature;
  }

  async #verify(data: Bytes, signature: Bytes, keyID: string, counterparty: string, what: string): Promise<void> {
    const good = await this.#wallet
      .verifySignature({
        hashToDirectlyVerify: sha256(data),
        signature: [...signature],
        protocolID: PROTOCOL,
        keyID,
        counterparty,
      })
      // Wallets throw for a wrong signature.
      .then(({ valid }) => valid === true)
      .catch(() => false);
    if (!good) throw new ProtocolViolationError('2', `the signature of a message (${what}) is wrong`);
  }

  async #ownKey(): Promise<string> {
    this.#identityKey ??= (await this.#wallet.getPublicKey({ identityKey: true })).publicKey;
    return this.#identityKey;
  }
}

function joinNonces(first: string, second: string): Uint8Array {
  return Buffer.concat([Buffer.from(first, 'base64'), Buffer.from(second, 'base64')]);
}

function sha256(data: Bytes): number[] {
  return [...createHash('sha256').update(Uint8Array.from(data)).digest()];
}
