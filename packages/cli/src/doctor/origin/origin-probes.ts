import type { WalletInterface } from '@bsv/sdk';
import { createIdentity } from '../../identity/identity.js';
import { type ExchangeAnswer, exchange } from './exchange.js';
import { type CertificateFacts, probeTls } from './probe-tls.js';
import { type HandshakeOutcome, type SignedOutcome, sendSigned, shakeHands } from './signed-exchange.js';

/** The requests that go to the public origin, each at most once. A random identity makes them. */
export class OriginProbes {
  readonly wallet: WalletInterface = createIdentity('doctor').wallet;
  readonly #done = new Map<string, Promise<unknown>>();

  /**
   * @param origin such as `https://messagebox.example`
   * @param prefix the path of the message routes: '', or `/api`
   */
  constructor(
    readonly origin: string,
    readonly prefix: string,
    readonly limitMs: number,
  ) {}

  get isHttps(): boolean {
    return this.origin.startsWith('https:');
  }

  /** The certificate of an https origin. */
  get certificate(): Promise<CertificateFacts> {
    return this.#once('certificate', () => probeTls(new URL(this.origin), this.limitMs));
  }

  /** `GET /health/live`, which any server answers without authentication. */
  get health(): Promise<ExchangeAnswer> {
    return this.#once('health', () => exchange({ method: 'GET', url: `${this.origin}/health/live` }, this.limitMs));
  }

  get handshake(): Promise<HandshakeOutcome> {
    return this.#once('handshake', () => this.shakeHands());
  }

  /** A message route without authentication: a server answers 401. */
  get unsignedRequest(): Promise<ExchangeAnswer> {
    return this.#once('unsigned', () =>
      exchange(
        {
          method: 'POST',
          url: `${this.origin}${this.prefix}/listMessages`,
          headers: { 'content-type': 'application/json' },
          body: '{}',
        },
        this.limitMs,
      ),
    );
  }

  /** A signed request without a body. Undefined: there is no session to send it under. */
  get signedRequest(): Promise<SignedOutcome | undefined> {
    return this.#once('signed', () => this.#send({ method: 'GET', path: '/permissions/list?limit=1' }));
  }

  /** A signed request with a body that no program would write like this, so that whoever writes it again is noticed. */
  get signedBody(): Promise<SignedOutcome | undefined> {
    const body = '{ "limit":1,\n\t"messageBox" : "d\\u006fctor \u00e9\u20ac <b>&amp;</b>" }';
    return this.#once('body', () => this.#send({ method: 'POST', path: '/listMessages', body }));
  }

  /** A handshake over one more connection. */
  shakeHands(): Promise<HandshakeOutcome> {
    return shakeHands(this.origin, this.wallet, this.limitMs);
  }

  /** The signed request without a body, over one more connection, under the session of the first handshake. */
  sendAgain(): Promise<SignedOutcome | undefined> {
    return this.#send({ method: 'GET', path: '/permissions/list?limit=1' });
  }

  async #send(request: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly body?: string;
  }): Promise<SignedOutcome | undefined> {
    const handshake = await this.handshake;
    if (handshake.kind !== 'session') return undefined;
    const { path, ...rest } = request;
    const url = `${this.origin}${this.prefix}${path}`;
    return await sendSigned(handshake.session, this.wallet, { ...rest, url }, this.limitMs);
  }

  #once<T>(name: string, start: () => Promise<T>): Promise<T> {
    const running = this.#done.get(name);
    if (running !== undefined) return running as Promise<T>;
    const started = start();
    started.catch(() => undefined); // each reader gets the error
    this.#done.set(name, started);
    return started;
  }
}
