import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { App, type Hosts } from './app.js';
import { LiveSocket, type SocketSettings } from './live-socket.js';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A message as `/listMessages` answers it. */
export interface Listed {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

export interface ListAnswer {
  readonly status: string;
  readonly messages: Listed[];
  readonly hasMore?: boolean;
  readonly next?: string;
  readonly nextOffset?: number | null;
}

/** A throw-away identity, and the real clients that act for it. */
export class Person {
  readonly wallet: WalletInterface;
  readonly key: string;
  /** Hex. */
  readonly privateKey: string;
  readonly #fetch: AuthFetch;
  readonly #opened: { close(): unknown }[] = [];

  constructor(privateKey = PrivateKey.fromRandom()) {
    // It signs and encrypts, which is all that messages without payments need.
    this.wallet = new ProtoWallet(privateKey) as unknown as WalletInterface;
    this.key = privateKey.toPublicKey().toString();
    this.privateKey = privateKey.toHex();
    this.#fetch = new AuthFetch(this.wallet);
  }

  /** A signed POST by `AuthFetch`, and its verified answer with the headers that are signed. */
  async postForHeaders(url: string, body: unknown): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' };
    return await this.#fetch.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** A signed request by `AuthFetch`, and its verified answer. */
  async post(url: string, body: unknown, method = 'POST'): Promise<Answer> {
    const headers = { 'Content-Type': 'application/json' };
    const response = await this.#fetch.fetch(url, { method, headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  /** A signed request without a body. */
  async get(url: string): Promise<Answer> {
    const response = await this.#fetch.fetch(url, { method: 'GET' });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  send(api: string, message: object): Promise<Answer> {
    return this.post(`${api}/sendMessage`, { message });
  }

  acknowledge(api: string, ...messageIds: string[]): Promise<Answer> {
    return this.post(`${api}/acknowledgeMessage`, { messageIds });
  }

  /** The page of an own box as the server answers it. */
  async page(api: string, messageBox: string, paging: object = {}): Promise<ListAnswer> {
    const { status, body } = await this.post(`${api}/listMessages`, { messageBox, ...paging });
    if (status !== 200) throw new Error(`listing answered ${status} ${JSON.stringify(body)}`);
    return body as unknown as ListAnswer;
  }

  async list(api: string, messageBox: string): Promise<Listed[]> {
    return (await this.page(api, messageBox)).messages;
  }

  async listIds(api: string, messageBox: string): Promise<string[]> {
    return (await this.list(api, messageBox)).map(({ messageId }) => messageId);
  }

  /** A `MessageBoxClient` of this identity: another device with each call. */
  app(http: string, live: string = http): App {
    const hosts: Hosts = { http, live };
    return this.#keep(new App(this.wallet, this.key, hosts));
  }

  /** An `AuthSocketClient` of this identity that has not said anything yet. */
  socket(url: string, settings?: SocketSettings): LiveSocket {
    return this.#keep(new LiveSocket(url, this.wallet, this.key, settings));
  }

  /** An authenticated `AuthSocketClient` of this identity. */
  connect(url: string, settings?: SocketSettings): Promise<LiveSocket> {
    return this.socket(url, settings).authenticate();
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.splice(0)) await opened.close();
  }

  #keep<T extends { close(): unknown }>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }
}

/** Makes people for the tests of the surrounding `describe`, and closes all that they opened after each of them. */
export function people(): (privateKey?: PrivateKey) => Person {
  const born: Person[] = [];
  afterEach(async () => {
    for (const person of born.splice(0)) await person.close();
  });
  return (privateKey) => {
    const person = new Person(privateKey);
    born.push(person);
    return person;
  };
}
