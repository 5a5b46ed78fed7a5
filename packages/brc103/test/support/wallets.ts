import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';

type Signing = Parameters<CompletedProtoWallet['createSignature']>[0];

/** A wallet in which each call takes `ms` milliseconds. */
export class SlowWallet extends CompletedProtoWallet {
  constructor(private readonly ms: number) {
    super(PrivateKey.fromRandom());
  }

  override async createHmac(...args: Parameters<CompletedProtoWallet['createHmac']>) {
    await this.#wait();
    return await super.createHmac(...args);
  }

  override async verifyHmac(...args: Parameters<CompletedProtoWallet['verifyHmac']>) {
    await this.#wait();
    return await super.verifyHmac(...args);
  }

  override async createSignature(...args: Parameters<CompletedProtoWallet['createSignature']>) {
    await this.#wait();
    return await super.createSignature(...args);
  }

  override async verifySignature(...args: Parameters<CompletedProtoWallet['verifySignature']>) {
    await this.#wait();
    return await super.verifySignature(...args);
  }

  async #wait(): Promise<void> {
    if (this.ms > 0) await new Promise((resolve) => setTimeout(resolve, this.ms));
  }
}

/** Whether a signature is that of an initialResponse, which covers two nonces of 48 bytes. */
export const isInitialResponseSignature = ({ data }: Signing): boolean => data?.length === 96;

/** A wallet that answers no initialRequest while it is `locked`. */
export class LockedWallet extends CompletedProtoWallet {
  locked = false;

  constructor() {
    super(PrivateKey.fromRandom());
  }

  override async createSignature(...args: Parameters<CompletedProtoWallet['createSignature']>) {
    if (this.locked && isInitialResponseSignature(args[0])) return await new Promise<never>(() => undefined);
    return await super.createSignature(...args);
  }
}

/**
 * A wallet with the worst order of work that the window allows for: every answer to an initialRequest overtakes all frames
 * since the previous one. Frames are finished only when the fence after the next one arrives.
 */
export class OvertakingWallet extends CompletedProtoWallet {
  #held: (() => void)[] = [];
  #older: (() => void)[] = [];
  #isHolding = false;

  constructor() {
    super(PrivateKey.fromRandom());
  }

  /** Holds back frames from now on. */
  hold(): void {
    this.#isHolding = true;
  }

  /** Finishes all frames that are held back. */
  release(): void {
    this.#isHolding = false;
    for (const finish of [...this.#older.splice(0), ...this.#held.splice(0)]) finish();
  }

  override async verifySignature(...args: Parameters<CompletedProtoWallet['verifySignature']>) {
    if (this.#isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
    return await super.verifySignature(...args);
  }

  override async createSignature(...args: Parameters<CompletedProtoWallet['createSignature']>) {
    if (isInitialResponseSignature(args[0])) {
      for (const finish of this.#older.splice(0)) finish();
      this.#older = this.#held;
      this.#held = [];
    }
    return await super.createSignature(...args);
  }
}
