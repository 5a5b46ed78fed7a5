import { randomBytes } from 'node:crypto';
import type { AuthMessage, GeneralMessage, InitialRequest, InitialResponse } from '../../src/index.js';
import { createParty, type Party } from './wallets.js';

const PROTOCOL: [2, string] = [2, 'auth message signature'];

export type Fields = Record<string, unknown>;

/** The server side of BRC-103. Tests can change each part of its messages. */
export class StubServer {
  readonly party: Party = createParty();

  /** Creates the answer to a handshake. */
  async answer(request: InitialRequest, ownNonce = randomBytes(48).toString('base64')): Promise<InitialResponse> {
    const data = Buffer.concat([Buffer.from(request.initialNonce, 'base64'), Buffer.from(ownNonce, 'base64')]);
    return {
      version: '0.1',
      messageType: 'initialResponse',
      identityKey: this.party.key,
      initialNonce: ownNonce,
      yourNonce: request.initialNonce,
      requestedCertificates: { certifiers: [], types: {} },
      signature: await this.#sign(data, `${request.initialNonce} ${ownNonce}`, request.identityKey),
    };
  }

  /** Creates a signed message in the session with this nonce of the client. */
  async say(client: string, clientNonce: string, payload: Uint8Array): Promise<GeneralMessage> {
    const nonce = randomBytes(32).toString('base64');
    return {
      version: '0.1',
      messageType: 'general',
      identityKey: this.party.key,
      nonce,
      yourNonce: clientNonce,
      payload: [...payload],
      signature: await this.#sign(payload, `${nonce} ${clientNonce}`, client),
    };
  }

  /** Creates an initialRequest of the server. */
  ask(): InitialRequest {
    return {
      version: '0.1',
      messageType: 'initialRequest',
      identityKey: this.party.key,
      initialNonce: randomBytes(48).toString('base64'),
      requestedCertificates: { certifiers: [], types: {} },
    };
  }

  async #sign(data: Uint8Array, keyID: string, counterparty: string): Promise<number[]> {
    const signed = await this.party.wallet.createSignature({
      data: [...data],
      protocolID: PROTOCOL,
      keyID,
      counterparty,
    });
    return signed.signature;
  }
}

/** Copies a message, with some fields replaced. */
export function alterMessage(message: AuthMessage, fields: Fields): Fields {
  return { ...message, ...fields };
}
