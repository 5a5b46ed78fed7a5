import { createHash, randomBytes } from 'node:crypto';
import { PrivateKey, ProtoWallet } from '@bsv/sdk';
import { createAuthenticator, loadCurve } from '@messagebox/brc103';
import { openStore } from '@messagebox/store';
import { median } from './lib/numbers.mjs';
import { answerParent } from './lib/rpc.mjs';
import { AuthClient, randomIdentity } from './load/auth-client.mjs';
import { requestPayload } from './load/http-client.mjs';
import { Messages } from './load/messages.mjs';

const IDENTITIES = 64;
const REQUESTS = 512;
const ROUNDS = 5;
const AUTH_PROTOCOL = /** @type {[2, string]} */ ([2, 'auth message signature']);

answerParent({
  /** Measures the CPU milliseconds of each part of a request by itself, in this process. */
  async measure({ privateKey, database, roundMs }) {
    const store = openStore(
      database.client === 'mysql2'
        ? { client: 'mysql2', connection: database.connection }
        : { client: database.client, filename: database.connection.filename },
    );
    await store.migrate();
    try {
      return await measureCpu({ ...createOurParts(privateKey, store), ...createSdkParts(privateKey) }, roundMs);
    } finally {
      await store.close();
    }
  },
});

/** The parts of this server. Each call uses the next one of many prepared inputs. */
function createOurParts(privateKey, store) {
  const authenticator = createAuthenticator({ privateKey: Buffer.from(privateKey, 'hex'), curve: loadCurve() });
  const clients = Array.from({ length: IDENTITIES }, () => new AuthClient());
  const sessions = clients.map((client) => {
    const { response, session } = authenticator.answerHandshake(client.initialRequest());
    client.acceptHandshake(response);
    return session;
  });
  const messages = new Messages();
  const requests = Array.from({ length: REQUESTS }, (_, i) => {
    const body = messages.next();
    const payload = requestPayload(randomBytes(32), '/sendMessage', body);
    return { session: sessions[i % IDENTITIES], body, payload, ...clients[i % IDENTITIES].sign(payload) };
  });
  const strangers = Array.from({ length: REQUESTS }, () => new AuthClient(randomIdentity()).initialRequest());
  const request = inTurn(requests);
  const client = inTurn(clients);
  const stranger = inTurn(strangers);
  const expiresAt = new Date(Date.now() + 3_600_000);
  const answer = {
    status: 'success',
    messageId: randomBytes(32).toString('hex'),
    message: `Your message has been sent to ${clients[0].identityKey}`,
    results: [{ recipient: clients[0].identityKey, messageId: randomBytes(32).toString('hex') }],
  };
  return {
    handshake: () => authenticator.answerHandshake(client().initialRequest()),
    'handshake, unknown identity': () => authenticator.answerHandshake(stranger()),
    openSession: () => {
      const { session } = request();
      authenticator.verifySessionNonce(session.nonce, session.identityKey);
    },
    verify: () => {
      const { session, nonce, payload, signature } = request();
      authenticator.verifyGeneral(session, nonce, payload, signature);
    },
    sign: () => {
      const { session, payload } = request();
      authenticator.signGeneral(session, payload);
    },
    claimRequest: () => store.claimRequest({ key: createHash('sha256').update(randomBytes(32)).digest(), expiresAt }),
    storeMessages: async () => {
      const { message } = JSON.parse(messages.next().toString());
      await store.storeMessages([{ ...message, sender: clients[0].identityKey }]);
    },
    JSON: () => {
      JSON.parse(request().body.toString());
      JSON.stringify(answer);
    },
  };
}

/** The counterparts of `verify` and `sign` in the public stack. */
function createSdkParts(privateKey) {
  const wallet = new ProtoWallet(new PrivateKey(privateKey, 16));
  const client = new ProtoWallet(PrivateKey.fromRandom());
  const data = Array.from(randomBytes(700));
  let serial = 0;
  const keyID = () => `${randomBytes(32).toString('base64')} ${serial++}`;
  const counterparty = client.getPublicKey({ identityKey: true }).then(({ publicKey }) => publicKey);
  const own = wallet.getPublicKey({ identityKey: true }).then(({ publicKey }) => publicKey);
  const signed = Promise.all(
    Array.from({ length: 32 }, async () => {
      const use = { data, protocolID: AUTH_PROTOCOL, keyID: keyID() };
      const { signature } = await client.createSignature({ ...use, counterparty: await own });
      return { ...use, signature };
    }),
  );
  return {
    'SDK verify': async () => {
      const all = await signed;
      const one = all[serial++ % all.length];
      await wallet.verifySignature({ ...one, counterparty: await counterparty });
    },
    'SDK sign': async () =>
      await wallet.createSignature({
        data,
        protocolID: AUTH_PROTOCOL,
        keyID: keyID(),
        counterparty: await counterparty,
      }),
  };
}

/**
 * Runs the parts in turn, several rounds of each, and takes the median of the rounds.
 *
 * @param {Record<string, () => unknown>} parts
 * @param {number} roundMs
 */
async function measureCpu(parts, roundMs) {
  for (const part of Object.values(parts)) await repeat(part, roundMs / 2);
  const rounds = Object.fromEntries(Object.keys(parts).map((name) => [name, /** @type {number[]} */ ([])]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, part] of Object.entries(parts)) {
      const cpu = process.cpuUsage();
      const count = await repeat(part, roundMs);
      const { user, system } = process.cpuUsage(cpu);
      rounds[name].push((user + system) / 1000 / count);
    }
  }
  return Object.fromEntries(Object.entries(rounds).map(([name, values]) => [name, median(values)]));
}

async function repeat(part, ms) {
  const end = performance.now() + ms;
  let count = 0;
  while (performance.now() < end) {
    const pending = part();
    if (pending instanceof Promise) await pending;
    count += 1;
  }
  return count;
}

/** @template Item @param {Item[]} items @returns {() => Item} */
function inTurn(items) {
  let i = 0;
  return () => items[i++ % items.length];
}
