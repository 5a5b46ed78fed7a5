import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { CurrentIdentity } from '../identity/current-identity.js';
import type { MailMessage } from './mail-message.js';
import { parseStoredBody } from './stored-body.js';

/** What the reader of a message can see of it. */
export interface Reading {
  readonly state: 'reading' | 'read' | 'failed';
  /** Empty until it is read. */
  readonly text: string;
  readonly isEncrypted: boolean;
  readonly payment: Readonly<Record<string, unknown>> | undefined;
}

/** Reads messages for one identity, each once and not before it is looked at: decrypting 10,000 takes a while. */
export class MessageReader {
  readonly #identity: CurrentIdentity;
  readonly #readings = new Map<string, Signal<Reading>>();

  constructor(identity: CurrentIdentity) {
    this.#identity = identity;
  }

  /** What is known of the message by now. It is decrypted meanwhile. */
  read(message: MailMessage): ReadonlySignal<Reading> {
    const known = this.#readings.get(message.messageId);
    if (known !== undefined) return known;
    const { ciphertext, text, payment } = parseStoredBody(message.body);
    const isEncrypted = ciphertext !== undefined;
    const reading = signal<Reading>({ state: isEncrypted ? 'reading' : 'read', text, isEncrypted, payment });
    this.#readings.set(message.messageId, reading);
    if (ciphertext !== undefined) {
      this.#decrypt(message.sender, ciphertext).then(
        (decrypted) => {
          reading.value = { ...reading.value, state: 'read', text: decrypted };
        },
        () => {
          reading.value = { ...reading.value, state: 'failed' };
        },
      );
    }
    return reading;
  }

  /** Forgets what is gone. */
  forget(messageIds: readonly string[]): void {
    for (const messageId of messageIds) this.#readings.delete(messageId);
  }

  /** As MessageBoxClient encrypts (BRC-2): protocol `[1, 'messagebox']`, key `1`, for the pair of sender and recipient. */
  async #decrypt(sender: string, ciphertext: string): Promise<string> {
    const { plaintext } = await this.#identity.wallet.decrypt({
      protocolID: [1, 'messagebox'],
      keyID: '1',
      counterparty: sender,
      ciphertext: Array.from(atob(ciphertext), (character) => character.charCodeAt(0)),
    });
    return new TextDecoder().decode(Uint8Array.from(plaintext));
  }
}
