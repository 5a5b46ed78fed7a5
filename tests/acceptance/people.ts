import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { StrictFetch } from '@messagebox/test-kit';
import { type AppHosts, type BoxApp, RegistryApp, StrictApp } from './app.js';
import { type Clients, registryClients } from './clients.js';
import { LiveSocket, type SocketSettings } from './live-socket.js';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A message as `/listMessages` answers it. */
export interface ListedMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

export interface ListAnswer {
  readonly status: string;
  readonly messages: ListedMessage[];
  readonly hasMore?: boolean;
  readonly next?: string;
  readonly nextOffset?: number | null;
}

/** Clients that a person has opened: strict ones report whether the server broke a rule. */
interface Closable {
  close(): unknown;
  readonly failure?: Error | undefined;
}

/** Sends signed requests: the registry's `AuthFetch`, or our strict one. */
interface SignedFetch {
  fetch(url: string, settings: { method: string; headers?: Record<string, string>; body?: string }): Promise<Response>;
}

/** A throw-away identity, and the clients that act for it. */
export class Person {
  readonly wallet: WalletInterface;
  readonly key: string;
  /** Hex. */
  readonly privateKey: string;
  readonly #fetch: SignedFetch;
  readonly #opened: Closable[] = [];

  /** @param clients whose clients act for this person */
  constructor(
    privateKey = PrivateKey.fromRandom(),
    readonly clients: Clients = registryClients,
  ) {
    // ProtoWallet signs and encrypts; messages without payments need no more.
    this.wallet = new ProtoWallet(privateKey) as unknown as WalletInterface;
    this.key = privateKey.toPublicKey().toString();
    this.privateKey = privateKey.toHex();
    this.#fetch = clients.kind === 'strict' ? new StrictFetch({ wallet: this.wallet }) : new AuthFetch(this.wallet);
  }

  /** A signed POST, and its verified answer with the headers that are signed. */
  async postForHeaders(url: string, body: unknown): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' };
    return await this.#fetch.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** A signed request, and its verified answer. */
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

  async list(api: string, messageBox: string): Promise<ListedMessage[]> {
    return (await this.page(api, messageBox)).messages;
  }

  async listIds(api: string, messageBox: string): Promise<string[]> {
    return (await this.list(api, messageBox)).map(({ messageId }) => messageId);
  }

  /** A client of message boxes of this identity: another device with each call. */
  createApp(http: string, live: string = http): BoxApp {
    const hosts: AppHosts = { http, live };
    if (this.clients.kind === 'strict') return this.#keep(new StrictApp(this.wallet, this.key, hosts, this.clients));
    return this.#keep(new RegistryApp(this.wallet, this.key, hosts));
  }

  /**
   * A live connection of this identity that has not said anything yet.
   *
   * @param wallet the wallet that signs and verifies: this person's, or the same one made slow
   */
  createSocket(url: string, settings?: SocketSettings, wallet: WalletInterface = this.wallet): LiveSocket {
    return this.#keep(new LiveSocket(url, wallet, this.key, settings, this.clients));
  }

  /** A live connection of this identity that is authenticated. */
  connect(url: string, settings?: SocketSettings): Promise<LiveSocket> {
    return this.createSocket(url, settings).authenticate();
  }

  /** @throws ProtocolViolationError when the server broke a rule on a connection, whether or not the test saw anything of it */
  async close(): Promise<void> {
    const all = this.#opened.splice(0);
    for (const opened of all) await opened.close();
    for (const { failure } of all) if (failure !== undefined) throw failure;
  }

  #keep<T extends Closable>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }
}

/**
 * Makes people for the tests of the surrounding `describe`, and closes all that they opened after each of them. A test
 * fails when a strict client of theirs saw the server break a rule.
 */
export function createPeople(clients: Clients = registryClients): (privateKey?: PrivateKey) => Person {
  const born: Person[] = [];
  afterEach(async () => {
    for (const person of born.splice(0)) await person.close();
  });
  return (privateKey) => {
    const person = new Person(privateKey, clients);
    born.push(person);
    return person;
  };
}
