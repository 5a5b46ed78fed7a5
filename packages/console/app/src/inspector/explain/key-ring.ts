import type { WalletInterface } from '@bsv/sdk';

/** Which key of BRC-42 is meant. */
export interface KeyUse {
  /** Security level and protocol name (BRC-43). */
  readonly protocolID: [0 | 1 | 2, string];
  readonly keyID: string;
  /** An identity key, `self` or `anyone`. */
  readonly counterparty: string;
}

/** The wallets of this page, by their identity. Explanations ask them for public keys and for decryption only. */
export class KeyRing {
  readonly #wallets = new Map<string, WalletInterface>();

  /**
   * @param identityKey 66 hex characters
   * @param wallet the wallet itself, not an observed one: what the inspector asks is no traffic
   */
  add(identityKey: string, wallet: WalletInterface): void {
    this.#wallets.set(identityKey, wallet);
  }

  remove(identityKey: string): void {
    this.#wallets.delete(identityKey);
  }

  /** The identities, in the order in which they were added. */
  get identityKeys(): string[] {
    return [...this.#wallets.keys()];
  }

  /**
   * The public key that belongs to a use, in hex: the wallet's own, or the counterparty's. Undefined when the wallet is not
   * here, or refuses.
   */
  async derivePublicKey(identityKey: string, use: KeyUse, owner: 'counterparty' | 'own'): Promise<string | undefined> {
    try {
      const derived = await this.#wallets.get(identityKey)?.getPublicKey({ ...use, forSelf: owner === 'own' });
      return derived?.publicKey;
    } catch {
      return undefined;
    }
  }

  /** Whether an HMAC is the wallet's own. Undefined when the wallet is not here. */
  async verifyHmac(identityKey: string, use: KeyUse, data: Uint8Array, hmac: Uint8Array): Promise<boolean | undefined> {
    const wallet = this.#wallets.get(identityKey);
    if (wallet === undefined) return undefined;
    try {
      const { valid } = await wallet.verifyHmac({ ...use, data: [...data], hmac: [...hmac] });
      return valid;
    } catch {
      return false;
    }
  }

  /** Decrypts with the wallet. Undefined when it is not here or cannot. */
  async decrypt(identityKey: string, use: KeyUse, ciphertext: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const decrypted = await this.#wallets.get(identityKey)?.decrypt({ ...use, ciphertext: [...ciphertext] });
      return decrypted && Uint8Array.from(decrypted.plaintext);
    } catch {
      return undefined;
    }
  }
}
