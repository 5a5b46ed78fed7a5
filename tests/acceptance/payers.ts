import type { MessageBoxClient } from '@bsv/message-box-client';
import { AuthFetch, type CreateActionResult, Transaction, type WalletInterface } from '@bsv/sdk';
import { type DeveloperWallet, openDeveloperWallet } from '@messagebox/devnet';
import { readWalletBalance, WALLET_FILE } from '../support/wallet-balance.js';
import { withDatabase } from './database.js';
import type { Deployment } from './deployments.js';
import type { Answer } from './people.js';

/** `payment` of a request, as the real client makes it. */
export interface MadePayment {
  readonly tx: number[];
  readonly outputs: object[];
  readonly description?: string;
}

/** The prices that a client knows before it pays. */
export interface Prices {
  readonly deliveryFee: number;
  readonly recipientFee: number;
  readonly deliveryAgentIdentityKey: string;
}

/** Somebody with money: an ordinary wallet on the deployment's chain, of which every satoshi is accounted for. */
export class Payer {
  readonly key: string;
  /** The wallet for clients: what it makes is counted. */
  readonly wallet: WalletInterface;
  /** Satoshis that the chain took for this wallet's transactions. */
  chainFees = 0;
  /** Transactions made. */
  transactions = 0;
  readonly #fetch: AuthFetch;

  private constructor(
    private readonly own: DeveloperWallet,
    readonly funded: number,
  ) {
    this.key = own.identityKey;
    this.wallet = this.#counting(own.wallet);
    this.#fetch = new AuthFetch(this.wallet);
  }

  /** @param origin where the deployment serves its chain */
  static async open(origin: string, satoshis = 0): Promise<Payer> {
    const own = await openDeveloperWallet({ origin });
    if (satoshis > 0) await own.fund(satoshis);
    return new Payer(own, satoshis);
  }

  readBalance(): Promise<number> {
    return this.own.balance();
  }

  /** Payments that this wallet made to others. */
  async countPaidSatoshis(): Promise<number> {
    return this.funded - this.chainFees - (await this.readBalance());
  }

  /** A signed request by `AuthFetch`, and its verified answer. */
  async post(url: string, body: unknown): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json' };
    const response = await this.#fetch.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  /** Charges for messages in an own box. */
  async charge(api: string, recipientFee: number, messageBox = 'notifications'): Promise<void> {
    await this.post(`${api}/permissions/set`, { messageBox, recipientFee });
  }

  /** Pays as the real client does, by its own code. */
  async pay(client: MessageBoxClient, recipient: string, prices: Prices): Promise<MadePayment> {
    const paying = client as unknown as {
      createMessagePayment(recipient: string, prices: Prices): Promise<MadePayment>;
    };
    return await paying.createMessagePayment(recipient, prices);
  }

  /** Pays for a batch by the real client's own code: the server once, and each recipient who charges. */
  async payBatch(
    client: MessageBoxClient,
    {
      serverIdentityKey,
      deliveryFee,
      recipientFees,
    }: { serverIdentityKey: string; deliveryFee: number; recipientFees: ReadonlyMap<string, number> },
  ): Promise<MadePayment> {
    const quotes = new Map(
      [...recipientFees].map(([recipient, recipientFee]) => [recipient, { recipientFee, deliveryFee }]),
    );
    const paying = client as unknown as {
      createMessagePaymentBatch(recipients: string[], quotes: object, server: string): Promise<MadePayment>;
    };
    return await paying.createMessagePaymentBatch([...quotes.keys()], quotes, serverIdentityKey);
  }

  close(): Promise<void> {
    return this.own.close();
  }

  #counting(wallet: WalletInterface): WalletInterface {
    const count = ({ tx }: CreateActionResult) => {
      if (tx === undefined) return;
      this.chainFees += Transaction.fromAtomicBEEF(tx).getFee();
      this.transactions += 1;
    };
    return new Proxy(wallet, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const result: unknown = await Reflect.apply(value, target, args);
          if (name === 'createAction') count(result as CreateActionResult);
          return result;
        };
      },
    });
  }
}

/** Satoshis in the server's wallet, read from where its processes keep it. */
export async function readServerBalance(deployment: Deployment): Promise<number> {
  const identityKey = String(deployment.processes.apis[0].listening['identityKey']);
  return await withDatabase(deployment, (knex) => readWalletBalance(knex, identityKey), WALLET_FILE);
}
