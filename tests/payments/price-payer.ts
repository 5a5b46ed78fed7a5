import {
  AuthFetch,
  P2PKH,
  PrivateKey,
  ProtoWallet,
  PublicKey,
  Random,
  type Transaction,
  Utils,
  type WalletInterface,
} from '@bsv/sdk';
import { BRC29_PROTOCOL, type FreeOutput, requestFreeOutput, spendFreeOutput } from '@messagebox/test-support/brc29';

/** What a 402 asks for. */
export interface AskedPrice {
  readonly satoshis: number;
  readonly prefix: string;
}

/** How a payment differs from the right one. */
export interface PaymentVariation {
  readonly satoshis?: number;
  readonly prefix?: string;
  /** Whom the output is locked to. Default: the server. */
  readonly payee?: string;
  /** Default: new money of the faucet. */
  readonly money?: FreeOutput;
  /** Outputs before the one that pays. */
  readonly before?: readonly { readonly satoshis: number; readonly script: Uint8Array }[];
}

/** A payment for a request, as the header has it. */
export interface MadePricePayment {
  readonly header: string;
  readonly transaction: Transaction;
  readonly suffix: string;
}

/** An answer with its signed headers. */
export interface PricedAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

/** `AuthFetch` but for its own payments: a 402 is an answer like any other. */
class UnpaidFetch extends AuthFetch {
  constructor(wallet: WalletInterface) {
    super(wallet);
    const own = this as unknown as { handlePaymentAndRetry: (...args: unknown[]) => Promise<unknown> };
    own.handlePaymentAndRetry = async (_url, _config, response) => response;
  }
}

/** Somebody who makes payments for requests by hand, right or wrong, of money that anybody may spend. */
export class PricePayer {
  readonly key: string;
  readonly wallet: WalletInterface;
  readonly #fetch: AuthFetch;

  /** @param faucet where the deployment serves its chain, or what gives money that anybody may spend */
  constructor(
    private readonly faucet: string | (() => Promise<FreeOutput>),
    privateKey = PrivateKey.fromRandom(),
  ) {
    this.key = privateKey.toPublicKey().toString();
    this.wallet = new ProtoWallet(privateKey) as unknown as WalletInterface;
    this.#fetch = new UnpaidFetch(this.wallet);
  }

  /** A signed POST, with the header `x-bsv-payment` if it is given. */
  async post(url: string, body: unknown, payment?: string): Promise<PricedAnswer> {
    const response = await this.#fetch.fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(payment === undefined ? {} : { 'x-bsv-payment': payment }) },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      body: (await response.json()) as PricedAnswer['body'],
      headers: response.headers,
    };
  }

  /** Sends the request without a payment, and returns what is asked for. */
  async ask(url: string, body: unknown): Promise<AskedPrice> {
    const { status, headers, body: answer } = await this.post(url, body);
    const satoshis = Number(headers.get('x-bsv-payment-satoshis-required'));
    expect({ status, answer, version: headers.get('x-bsv-payment-version') }).toMatchObject({
      status: 402,
      answer: { status: 'error', code: 'ERR_PAYMENT_REQUIRED', satoshisRequired: satoshis },
      version: '1.0',
    });
    return { satoshis, prefix: headers.get('x-bsv-payment-derivation-prefix') ?? '' };
  }

  /** Makes a payment that nobody has sent to the network. */
  async makePayment(server: string, asked: AskedPrice, variation: PaymentVariation = {}): Promise<MadePricePayment> {
    const { satoshis = asked.satoshis, prefix = asked.prefix, payee = server, before = [] } = variation;
    const suffix = Utils.toBase64(Random(32));
    const { publicKey } = await this.wallet.getPublicKey({
      protocolID: BRC29_PROTOCOL,
      keyID: `${prefix} ${suffix}`,
      counterparty: payee,
    });
    const script = new P2PKH().lock(PublicKey.fromString(publicKey).toAddress()).toUint8Array();
    const money = variation.money ?? (await this.#requestMoney());
    const transaction = spendFreeOutput(money, [...before, { satoshis, script }]);
    return { header: toPaymentHeader(prefix, suffix, transaction), transaction, suffix };
  }

  #requestMoney(): Promise<FreeOutput> {
    return typeof this.faucet === 'string' ? requestFreeOutput(this.faucet, 100_000) : this.faucet();
  }

  /** Asks for the price and pays it. */
  async pay(server: string, url: string, body: unknown): Promise<MadePricePayment> {
    return this.makePayment(server, await this.ask(url, body));
  }
}

/** The header `x-bsv-payment`. */
export function toPaymentHeader(derivationPrefix: string, derivationSuffix: string, transaction: Transaction): string {
  return JSON.stringify({
    derivationPrefix,
    derivationSuffix,
    transaction: Utils.toBase64(transaction.toAtomicBEEF()),
  });
}
