import { tamperWith, traffic } from './support/observed-page.ts';

// The build for browsers, which uses the page's WebSocket and XMLHttpRequest.
jest.mock('socket.io-client', () => jest.requireActual<object>('socket.io-client/dist/socket.io.js'));

import { AuthSocketClient } from '@bsv/authsocket-client';
import { MessageBoxClient } from '@bsv/message-box-client';
import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import { withTimeout } from '@messagebox/test-kit';
import { describeRecord } from '../../packages/console/app/src/inspector/explain/describe-record.js';
import { explainRecord } from '../../packages/console/app/src/inspector/explain/explain-exchange.js';
import { KeyRing } from '../../packages/console/app/src/inspector/explain/key-ring.js';
import type { TrafficRecord } from '../../packages/console/app/src/inspector/observe/traffic.js';
import { WalletLog } from '../../packages/console/app/src/inspector/observe/wallet-log.js';
import { recordWallet } from '../../packages/console/app/src/inspector/observe/wallet-observer.js';
import { type Deployment, deployStandalone } from '../acceptance/deployments.ts';
import { readShownSignatures, verifyShown } from './support/explained-signature.ts';

const serverKey = PrivateKey.fromRandom();
const serverWallet = new ProtoWallet(serverKey);
let server: Deployment;
let url: string;

/** An identity of the page, its logs, and its clients. */
class PageIdentity {
  readonly privateKey = PrivateKey.fromRandom();
  readonly key = this.privateKey.toPublicKey().toString();
  readonly bare = new ProtoWallet(this.privateKey);
  readonly calls = new WalletLog();
  readonly keys = new KeyRing();
  readonly wallet: WalletInterface;

  constructor() {
    const wallet = this.bare as unknown as WalletInterface;
    this.keys.add(this.key, wallet);
    this.wallet = recordWallet(wallet, this.calls, this.key);
  }

  explain(record: TrafficRecord) {
    return explainRecord(record, this);
  }

  /** The first record that matches and is decided, which may be still to come. */
  async record(subject: string, category: string): Promise<TrafficRecord> {
    const find = () =>
      traffic.records.find((record) => {
        const line = describeRecord(record, this.calls);
        return line.subject === subject && line.category === category && line.verdict !== 'pending';
      });
    const ends: (() => void)[] = [];
    const found = new Promise<TrafficRecord>((resolve) => {
      const look = () => {
        const record = find();
        if (record !== undefined) resolve(record);
      };
      ends.push(traffic.subscribe(look), this.calls.subscribe(look));
      look();
    });
    try {
      return await withTimeout(10_000, `a record of ${subject}`, found);
    } finally {
      for (const end of ends) end();
    }
  }

  /** The signatures that the inspector shows for a record, each verified by the side that did not make it. */
  async verifyAll(record: TrafficRecord) {
    const shown = readShownSignatures(await this.explain(record));
    return Promise.all(
      shown.map(async (signature) => ({
        subject: signature.subject,
        shownAs: signature.verified,
        valid: await verifyShown(signature, signature.signer === this.key ? serverWallet : this.bare),
      })),
    );
  }
}

let me: PageIdentity;

beforeAll(async () => {
  server = await deployStandalone({ SERVER_PRIVATE_KEY: serverKey.toHex() });
  url = server.apis[0];
});
afterAll(() => server.close());
beforeEach(() => {
  traffic.clear();
  me = new PageIdentity();
});
afterEach(() => tamperWith(undefined));

describe('requests of AuthFetch', () => {
  it('shows signatures of the handshake, the request and the answer that the other side verifies', async () => {
    await new AuthFetch(me.wallet).fetch(`${url}/listMessages`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ messageBox: 'inbox' }),
    });

    const handshake = await me.record('/.well-known/auth', 'handshake');
    expect(await me.verifyAll(handshake)).toEqual([{ subject: 'the handshake', shownAs: true, valid: true }]);
    const request = await me.record('/listMessages', 'http');
    expect(await me.verifyAll(request)).toEqual([
      { subject: 'the request', shownAs: true, valid: true },
      { subject: 'the answer', shownAs: true, valid: true },
    ]);
  });

  it('covers the search, custom headers and a body that is not ASCII', async () => {
    const authFetch = new AuthFetch(me.wallet);
    const path = `/permissions/quote?recipient=${me.key}&messageBox=caf%C3%A9+1`;
    await authFetch.fetch(url + path, { headers: { 'X-BSV-Z': 'last', 'x-bsv-a.b': '1', Authorization: 'none' } });
    await authFetch.fetch(`${url}/listMessages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ messageBox: 'grüße 😀' }),
    });

    for (const subject of [path, '/listMessages']) {
      expect(await me.verifyAll(await me.record(subject, 'http'))).toEqual([
        { subject: 'the request', shownAs: true, valid: true },
        { subject: 'the answer', shownAs: true, valid: true },
      ]);
    }
  });

  it('shows an answer that was changed on its way as failed', async () => {
    const authFetch = new AuthFetch(me.wallet);
    await authFetch.fetch(`${url}/devices`);
    traffic.clear();
    tamperWith(async (response) => {
      const body = (await response.text()).replace('success', 'Success');
      return new Response(body, { status: response.status, headers: response.headers });
    });
    // AuthFetch drops such an answer and waits: its promise never settles.
    void authFetch.fetch(`${url}/devices`);

    const record = await me.record('/devices', 'http');
    expect(describeRecord(record, me.calls).verdict).toBe('failed');
    const shown = readShownSignatures(await me.explain(record));
    expect(shown.map(({ subject, verified }) => [subject, verified])).toEqual([
      ['the request', true],
      ['the answer', false],
    ]);
  });

  it('shows an answer to another request as failed', async () => {
    const authFetch = new AuthFetch(me.wallet);
    await authFetch.fetch(`${url}/devices`);
    traffic.clear();
    tamperWith(async (response) => {
      const headers = new Headers(response.headers);
      headers.set('x-bsv-auth-request-id', Buffer.alloc(32).toString('base64'));
      return new Response(await response.text(), { status: response.status, headers });
    });
    void authFetch.fetch(`${url}/devices`);

    const { steps } = await me.explain(await me.record('/devices', 'http'));
    expect(steps.find(({ title }) => title === 'The server answers')?.verified).toBe(false);
    expect(steps.find(({ title }) => title === 'The server’s signature is verified')?.verified).toBe(false);
  });
});

describe('a message of MessageBoxClient', () => {
  it('shows what was encrypted, the id of the message and all signatures', async () => {
    const recipient = PrivateKey.fromRandom().toPublicKey().toString();
    const client = new MessageBoxClient({ host: url, walletClient: me.wallet, networkPreset: 'local' });
    const { messageId } = await client.sendMessage(
      { recipient, messageBox: 'inbox', body: 'for your eyes <b>only</b>' },
      url,
    );

    const record = await me.record('/sendMessage', 'http');
    const { steps } = await me.explain(record);
    const facts = steps.flatMap((step) => step.facts.map(({ label, value }) => `${label}: ${value}`));
    expect(facts).toContain(`Message id: ${messageId}`);
    expect(facts).toContain('Decrypted: for your eyes <b>only</b>');
    expect(steps.map(({ title }) => title)).toContain('Your wallet encrypts the body');
    expect(await me.verifyAll(record)).toEqual([
      { subject: 'the request', shownAs: true, valid: true },
      { subject: 'the answer', shownAs: true, valid: true },
    ]);
  });
});

describe.each([['websocket'], ['polling']] as const)('a live connection by %s', (transport) => {
  it('shows the handshake and each event with signatures that the other side verifies', async () => {
    const socket = AuthSocketClient(url, {
      wallet: me.wallet,
      managerOptions: { transports: [transport], reconnection: false },
    });
    const joined = new Promise((resolve) => socket.on('joinedRoom', resolve));
    socket.on('authenticationSuccess', () => socket.emit('joinRoom', `${me.key}-inbox`));
    socket.on('connect', () => socket.emit('authenticated', { identityKey: me.key }));
    await joined;

    const response = await me.record('initialResponse', 'handshake');
    expect(await me.verifyAll(response)).toEqual([{ subject: 'the handshake', shownAs: true, valid: true }]);
    for (const event of ['authenticated', 'authenticationSuccess', 'joinRoom', 'joinedRoom']) {
      const record = await me.record(event, 'live');
      expect(record).toMatchObject({ kind: 'packet', transport });
      expect(await me.verifyAll(record)).toEqual([{ subject: 'the event', shownAs: true, valid: true }]);
    }
    socket.disconnect();
  });

  it('shows what was decrypted from a message that was pushed', async () => {
    const socket = AuthSocketClient(url, {
      wallet: me.wallet,
      managerOptions: { transports: [transport], reconnection: false },
    });
    const room = `${me.key}-inbox`;
    const joined = new Promise((resolve) => socket.on('joinedRoom', resolve));
    const pushed = new Promise((resolve) => socket.on(`sendMessage-${room}`, resolve));
    socket.on('authenticationSuccess', () => socket.emit('joinRoom', room));
    socket.on('connect', () => socket.emit('authenticated', { identityKey: me.key }));
    await joined;
    const sender = new PageIdentity();
    const client = new MessageBoxClient({ host: url, walletClient: sender.wallet, networkPreset: 'local' });
    await client.sendMessage({ recipient: me.key, messageBox: 'inbox', body: 'live and secret' }, url);
    await pushed;

    const record = await me.record(`sendMessage-${room}`, 'live');
    const { steps } = await me.explain(record);
    const facts = steps.flatMap((step) => step.facts.map(({ label, value }) => `${label}: ${value}`));
    expect(facts).toContain('Decrypted: live and secret');
    expect(await me.verifyAll(record)).toEqual([{ subject: 'the event', shownAs: true, valid: true }]);
    socket.disconnect();
  });
});
