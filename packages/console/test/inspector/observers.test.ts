import { PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { observeFetch } from '../../app/src/inspector/observe/observe-fetch.js';
import { observeWebSocket } from '../../app/src/inspector/observe/observe-websocket.js';
import { observeXhr } from '../../app/src/inspector/observe/observe-xhr.js';
import { type HttpExchange, MAX_BODY_BYTES, type TrafficSink } from '../../app/src/inspector/observe/traffic.js';
import { TrafficLog } from '../../app/src/inspector/observe/traffic-log.js';
import { WalletLog } from '../../app/src/inspector/observe/wallet-log.js';
import { recordWallet } from '../../app/src/inspector/observe/wallet-observer.js';
import { decodeUtf8 } from '../../app/src/inspector/wire/bytes.js';

const BASE = 'http://host/app/';

/** A log of exchanges, and a way to wait until the last one has its whole answer. */
class WatchedLog extends TrafficLog {
  readonly #waiting = new Set<() => void>();

  override change(record: HttpExchange): void {
    super.change(record);
    for (const look of this.#waiting) look();
  }

  get last(): HttpExchange {
    const record = this.records.at(-1);
    if (record?.kind !== 'http') throw new Error('There is no exchange');
    return record;
  }

  answered(): Promise<HttpExchange> {
    return new Promise((resolve) => {
      const look = () => {
        if (this.last.answer?.body !== undefined || this.last.failure !== undefined) resolve(this.last);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

/** Throws whatever it is asked. */
const brokenSink: TrafficSink = {
  nextId: () => {
    throw new Error('broken inspector');
  },
  add: () => {
    throw new Error('broken inspector');
  },
  change: () => {
    throw new Error('broken inspector');
  },
};

describe('an observed fetch', () => {
  it('records method, address, headers, both bodies and the status', async () => {
    const log = new WatchedLog();
    const seen: unknown[] = [];
    const fetch = observeFetch(
      async (...args) => {
        seen.push(...args);
        return new Response('answer', { status: 201, headers: { 'x-bsv-a': '1' } });
      },
      log,
      BASE,
    );
    const init = { method: 'post', headers: { 'X-A': 'b' }, body: 'question' };
    const response = await fetch('../path?q=1', init);

    expect(await response.text()).toBe('answer');
    expect(seen).toEqual(['../path?q=1', init]);
    const exchange = await log.answered();
    expect(exchange).toMatchObject({
      method: 'POST',
      url: 'http://host/path?q=1',
      requestHeaders: [['X-A', 'b']],
      answer: { status: 201 },
    });
    expect(exchange.answer?.headers).toContainEqual(['x-bsv-a', '1']);
    expect(decodeUtf8(exchange.requestBody?.bytes ?? new Uint8Array())).toBe('question');
    expect(decodeUtf8(exchange.answer?.body?.bytes ?? new Uint8Array())).toBe('answer');
  });

  it('keeps the start of a long body and its length, and gives the caller all of it', async () => {
    const log = new WatchedLog();
    const long = new Uint8Array(MAX_BODY_BYTES + 10).fill(1);
    const headers = { 'content-length': String(long.length) };
    const fetch = observeFetch(async () => new Response(long, { headers }), log, BASE);
    const response = await fetch('/', { method: 'POST', body: long });

    expect((await response.arrayBuffer()).byteLength).toBe(long.length);
    const { requestBody, answer } = await log.answered();
    for (const body of [requestBody, answer?.body]) {
      expect(body?.bytes.length).toBe(MAX_BODY_BYTES);
      expect(body?.totalBytes).toBe(long.length);
    }
  });

  it('keeps a copy that the caller cannot change afterwards', async () => {
    const log = new WatchedLog();
    const fetch = observeFetch(async () => new Response(''), log, BASE);
    const body = Uint8Array.of(1, 2);
    await fetch('/', { method: 'POST', body });
    body.fill(9);
    expect([...(log.last.requestBody?.bytes ?? [])]).toEqual([1, 2]);
  });

  it('passes the caller’s error on and records why there is no answer', async () => {
    const log = new WatchedLog();
    const error = new TypeError('no route to the host');
    const fetch = observeFetch(() => Promise.reject(error), log, BASE);
    await expect(fetch('/')).rejects.toBe(error);
    expect((await log.answered()).failure).toBe('no route to the host');
  });

  it('answers the caller when the inspector is broken', async () => {
    const fetch = observeFetch(async () => new Response('answer'), brokenSink, BASE);
    expect(await (await fetch('/')).text()).toBe('answer');
  });

  it('lets an invalid address fail as it would without the inspector', async () => {
    const log = new WatchedLog();
    await expect(observeFetch(globalThis.fetch, log, BASE)('http://[')).rejects.toThrow('Failed to parse URL');
    expect(log.records).toEqual([]);
  });
});

/** A websocket without a wire. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  readonly sent: unknown[] = [];

  constructor(readonly url: string) {
    super();
  }

  send(data: unknown): void {
    this.sent.push(data);
  }

  receive(data: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

describe('an observed websocket', () => {
  it('is still one, and records what it sends and receives', () => {
    const log = new TrafficLog();
    const Observed = observeWebSocket(FakeSocket, log);
    const socket = new Observed('ws://host/socket.io/');
    socket.send('42["a"]');
    socket.receive('42["b"]');

    expect(socket).toBeInstanceOf(FakeSocket);
    expect(socket).toBeInstanceOf(Observed);
    expect(Observed.OPEN).toBe(1);
    expect(socket.sent).toEqual(['42["a"]']);
    expect(log.records).toMatchObject([
      { kind: 'socket', state: 'opening' },
      { kind: 'packet', direction: 'sent', text: '42["a"]', transport: 'websocket' },
      { kind: 'packet', direction: 'received', text: '42["b"]' },
    ]);
  });

  it('sends and receives when the inspector is broken', () => {
    const socket = new (observeWebSocket(FakeSocket, brokenSink))('ws://host/');
    socket.send('text');
    expect(socket.sent).toEqual(['text']);
  });

  it('records the length of a packet of bytes', () => {
    const log = new TrafficLog();
    new (observeWebSocket(FakeSocket, log))('ws://host/').send(new Uint8Array(5));
    expect(log.records.at(-1)).toMatchObject({ text: '', totalLength: 5 });
  });
});

/** An XMLHttpRequest that has its answer at once. */
class FakeXhr extends EventTarget {
  static answer = { status: 200, text: '' };
  status = 0;
  responseText = '';
  readonly sent: unknown[] = [];

  open(_method: string, _url: string): void {}

  setRequestHeader(_name: string, _value: string): void {}

  send(body?: unknown): void {
    this.sent.push(body);
    this.status = FakeXhr.answer.status;
    this.responseText = FakeXhr.answer.text;
    this.dispatchEvent(new Event('load'));
  }

  getAllResponseHeaders(): string {
    return 'content-type: text/plain\r\n';
  }
}

describe('an observed XMLHttpRequest', () => {
  const POLL = '/socket.io/?EIO=4&transport=polling&sid=a';

  function request(log: TrafficSink, method: string, url: string, body?: string): FakeXhr {
    const xhr = new (observeXhr(FakeXhr, log, BASE))();
    xhr.open(method, url);
    xhr.setRequestHeader('content-type', 'text/plain');
    xhr.send(body);
    return xhr;
  }

  it('records the packets of long polls by themselves, in both directions', () => {
    const log = new TrafficLog();
    FakeXhr.answer = { status: 200, text: '42["b"]\x1e2' };
    request(log, 'GET', POLL);
    FakeXhr.answer = { status: 200, text: 'ok' };
    request(log, 'POST', POLL, '42["a"]\x1e3');
    expect(log.records).toMatchObject([
      { kind: 'packet', direction: 'received', text: '42["b"]', transport: 'polling' },
      { kind: 'packet', direction: 'received', text: '2' },
      { kind: 'packet', direction: 'sent', text: '42["a"]', carrier: { method: 'POST' } },
      { kind: 'packet', direction: 'sent', text: '3' },
    ]);
  });

  it('records a long poll that is refused as a request', () => {
    const log = new TrafficLog();
    FakeXhr.answer = { status: 400, text: '{"code":1}' };
    request(log, 'GET', POLL);
    expect(log.records).toMatchObject([{ kind: 'http', via: 'xhr', answer: { status: 400 } }]);
  });

  it('records another request with its headers and answer', () => {
    const log = new TrafficLog();
    FakeXhr.answer = { status: 200, text: 'done' };
    request(log, 'post', 'other', 'question');
    expect(log.records).toMatchObject([
      {
        kind: 'http',
        method: 'POST',
        url: 'http://host/app/other',
        requestHeaders: [['content-type', 'text/plain']],
        answer: { status: 200, headers: [['content-type', 'text/plain']] },
      },
    ]);
  });

  it('sends when the inspector is broken', () => {
    FakeXhr.answer = { status: 200, text: 'done' };
    const xhr = request(brokenSink, 'POST', 'other', 'question');
    expect([xhr.sent, xhr.responseText]).toEqual([['question'], 'done']);
  });
});

describe('an observed wallet', () => {
  const root = PrivateKey.fromRandom();
  const bare = new ProtoWallet(root) as unknown as WalletInterface;
  const use = { protocolID: [2, 'auth message signature'] as [2, string], keyID: 'a b', counterparty: 'self' };

  it('signs as before, and records the bytes and the key’s name', async () => {
    const log = new WalletLog();
    const { signature } = await recordWallet(bare, log, 'me').createSignature({ ...use, data: [1, 2, 3] });
    expect(await bare.verifySignature({ ...use, data: [1, 2, 3], signature, forSelf: true })).toEqual({ valid: true });
    expect(log.calls).toEqual([
      expect.objectContaining({
        method: 'createSignature',
        identityKey: 'me',
        protocolID: [2, 'auth message signature'],
        keyID: 'a b',
        counterparty: 'self',
        input: { bytes: Uint8Array.of(1, 2, 3), totalBytes: 3 },
        output: { bytes: Uint8Array.from(signature), totalBytes: signature.length },
      }),
    ]);
  });

  it('passes a refusal on, and records the check as failed', async () => {
    const log = new WalletLog();
    const call = recordWallet(bare, log).verifyHmac({ ...use, data: [1], hmac: new Array<number>(32).fill(0) });
    await expect(call).rejects.toThrow('HMAC is not valid');
    expect(log.calls).toMatchObject([{ method: 'verifyHmac', valid: false, error: 'HMAC is not valid' }]);
  });

  it('records no private key, whatever is called', async () => {
    const log = new WalletLog();
    const wallet = recordWallet(bare, log);
    await wallet.getPublicKey({ identityKey: true });
    const { ciphertext } = await wallet.encrypt({ ...use, plaintext: [1] });
    await wallet.decrypt({ ...use, ciphertext });
    await wallet.createHmac({ ...use, data: [1] });
    const recorded = JSON.stringify(log.calls.map((call) => ({ ...call, output: [...(call.output?.bytes ?? [])] })));
    expect(log.calls).toHaveLength(4);
    expect(recorded).not.toContain(root.toHex());
    expect(recorded).not.toContain(root.toArray().join(','));
  });

  it('answers when the log is broken', async () => {
    const log = new WalletLog();
    log.subscribe(() => {
      throw new Error('broken view');
    });
    await expect(recordWallet(bare, log).getPublicKey({ identityKey: true })).resolves.toHaveProperty('publicKey');
  });

  it('keeps private members of a wallet within reach', async () => {
    class Sealed {
      readonly #key: string = '02aa';

      async getPublicKey() {
        return { publicKey: this.#key };
      }

      isReady() {
        return this.#key !== '';
      }
    }
    const wallet = recordWallet(new Sealed() as unknown as WalletInterface & Sealed, new WalletLog());
    expect(await wallet.getPublicKey()).toEqual({ publicKey: '02aa' });
    expect(wallet.isReady()).toBe(true);
  });
});
