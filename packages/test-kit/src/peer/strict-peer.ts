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
import { ProtocolViolation } from '../rules/protocol-violation.js';
import { isOwnNonce, mintClientNonce } from '../wallet/client-nonce.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { type ClientSession, SessionTable } from './session-table.js';

const PROTOCOL: [2, string] = [2, 'auth message signature'];
const HANDSHAKE_TIMEOUT_MS = 30_000;

export interface PeerOptions {
  readonly wallet: ClientWallet;
  /** Hands a message to the server. Rejects when it can't. */
  readonly transmit: (message: AuthMessage) => Promise<void>;
  /** Takes the payload of a message whose signature is good, and the identity that signed it. */
  readonly onPayload: (sender: string, payload: Bytes) => Promise<void>;
  readonly sessions?: SessionTable;
  /** How long a handshake waits for its answer, in milliseconds. */
  readonly handshakeTimeoutMs?: number;
}

interface Handshake {
  done(session: ClientSession): void;
  failed(error: Error): void;
}

/**
 * The client's side of BRC-103 as strict as today's: whatever arrives is checked before any work is done for it, and the
 * first message that breaks a rule is an error of `receive`, upon which a transport gives its connection up.
 */
export class StrictPeer {
  readonly #wallet: ClientWallet;
  readonly #transmit: PeerOptions['transmit'];
  readonly #onPayload: PeerOptions['onPayload'];
  readonly #sessions: SessionTable;
  readonly #timeoutMs: number;
  readonly #handshakes = new Map<string, Handshake>();
  #identityKey: string | undefined;
  /** Who answered a handshake of this client last: where messages go that name no receiver. */
  #lastPeer: string | undefined;
  /** How many handshakes this client has begun. */
  handshakesBegun = 0;

  constructor({ wallet, transmit, onPayload, sessions, handshakeTimeoutMs }: PeerOptions) {
    this.#wallet = wallet;
    this.#transmit = transmit;
    this.#onPayload = onPayload;
    this.#sessions = sessions ?? new SessionTable();
    this.#timeoutMs = handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
  }

  /**
   * Signs a payload and sends it. Without an authenticated session there is a handshake first: one for each call, for
   * calls do not wait for each other's.
   *
   * @param receiver an identity key; whoever answered the last handshake by default
   */
  async send(payload: Bytes, receiver: string | undefined = this.#lastPeer): Promise<void> {
    const known = receiver === undefined ? undefined : this.#sessions.select(receiver);
    const session = known?.authenticated === true ? known : await this.#shakeHands(receiver);
    const { peer, peerNonce } = session;
    if (peer === undefined || peerNonce === undefined) throw new Error('The handshake left the server unknown.');
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
   * Works on what came from the server.
   * @throws ProtocolViolation when today's clients would not survive it
   */
  async receive(frame: unknown): Promise<void> {
    const message = checkAuthMessage(frame);
    if (message.messageType === 'initialRequest') await this.#answerHandshake(message);
    else if (message.messageType === 'initialResponse') await this.#completeHandshake(message);
    else await this.#takePayload(message);
  }

  /** Nothing will arrive any more: whoever waits for the answer to a handshake is told why. */
  abandon(error: Error): void {
    for (const { failed } of [...this.#handshakes.values()]) failed(error);
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
    const answered = new Promise<ClientSession>((done, failed) => {
      this.#handshakes.set(ownNonce, { done, failed });
      timer = setTimeout(() => {
        failed(new ProtocolViolation('9.13', `a handshake was not answered within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      timer.unref();
    });
    const forgotten = answered.finally(() => {
      clearTimeout(timer);
      this.#handshakes.delete(ownNonce);
    });
    // The caller may still be sending when it fails, and hears of it then.
    forgotten.catch(() => {});
    return forgotten;
  }

  async #answerHandshake({ identityKey, initialNonce }: InitialRequest): Promise<void> {
    this.#sessions.claimHandshake(identityKey, initialNonce);
    const ownNonce = await mintClientNonce(this.#wallet);
    // Nobody has signed anything yet: it is not sent by before a message under it has been verified.
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
    const session = await this.#sessionOf(message);
    const { identityKey, initialNonce, signature } = message;
    if (session.peer !== undefined && session.peer !== identityKey) {
      throw new ProtocolViolation('2', 'a handshake was answered by another identity than the one that was asked');
    }
    const data = joinNonces(session.ownNonce, initialNonce);
    await this.#verify(data, signature, `${session.ownNonce} ${initialNonce}`, identityKey, 'initialResponse');
    this.#sessions.claimMessage(session, initialNonce);
    session.peer = identityKey;
    session.peerNonce = initialNonce;
    session.authenticated = true;
    this.#sessions.touch(session);
    this.#lastPeer = identityKey;
    this.#handshakes.get(session.ownNonce)?.done(session);
  }

  async #takePayload(message: GeneralMessage): Promise<void> {
    const session = await this.#sessionOf(message);
    const { identityKey, nonce, payload, signature } = message;
    if (session.peer !== identityKey) {
      throw new ProtocolViolation('2', 'a message names another identity than its session');
    }
    await this.#verify(payload, signature, `${nonce} ${session.ownNonce}`, identityKey, 'general message');
    this.#sessions.claimMessage(session, nonce);
    session.authenticated = true;
    this.#sessions.touch(session);
    await this.#onPayload(identityKey, payload);
  }

  async #sessionOf({ messageType, yourNonce }: InitialResponse | GeneralMessage): Promise<ClientSession> {
    if (!(await isOwnNonce(this.#wallet, yourNonce))) {
      throw new ProtocolViolation('2', `a message of type ${messageType} names a nonce that this client never made`);
    }
    const session = this.#sessions.get(yourNonce);
    if (session === undefined) {
      throw new ProtocolViolation('9.12', `a message of type ${messageType} came under a session that is forgotten`);
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
      // Wallets answer a wrong signature by an error.
      .then(({ valid }) => valid === true)
      .catch(() => false);
    if (!good) throw new ProtocolViolation('2', `the signature of a message (${what}) is wrong`);
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
