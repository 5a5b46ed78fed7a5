/**
 * A demo of a running server with the client that apps use. Two new identities send each other encrypted messages over HTTP
 * and live, and acknowledge them. On the local network, which has play money from a faucet, two more identities pay for a
 * notification, and advertise the host where they receive messages. The exit code is 0 only if everything worked.
 *
 * Usage: npm run demo [-- --host URL]
 */
import { parseArgs } from 'node:util';
import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { openDeveloperWallet } from '@messagebox/devnet';

const WAIT_TIMEOUT_MS = 15_000;
/** The only address where clients with the local preset look for the overlay. */
const LOCAL_PRESET = 'http://localhost:8080';
const { values } = parseArgs({ options: { host: { type: 'string', default: 'http://localhost:8080' } } });
const host = values.host.replace(/\/+$/, '');
const started = performance.now();

/** Prints a step and how long it took. */
async function step(title, work) {
  const from = performance.now();
  process.stdout.write(`  ${title} … `);
  const result = await work();
  process.stdout.write(`${Math.round(performance.now() - from)} ms\n`);
  return result;
}

function check(condition, complaint) {
  if (!condition) throw new Error(complaint);
}

/** Creates a promise that rejects when `arrive` is not called in time. */
function expectation(what) {
  let arrive;
  const promise = new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${what} did not arrive within ${WAIT_TIMEOUT_MS / 1000} s`)),
      WAIT_TIMEOUT_MS,
    );
    arrive = (value) => {
      clearTimeout(timer);
      resolve(value);
    };
  });
  promise.catch(() => undefined); // an earlier step may fail first
  return { promise, arrive };
}

async function person(name) {
  const key = PrivateKey.fromRandom();
  const client = new MessageBoxClient({ host, walletClient: new CompletedProtoWallet(key), networkPreset: 'local' });
  await client.init(host);
  return { name, client, key: await client.getIdentityKey() };
}

async function assertReachable() {
  try {
    const answer = await fetch(`${host}/health/live`);
    check(answer.ok, `it responded with ${answer.status}`);
  } catch (error) {
    throw new Error(
      `No MessageBox server responds at ${host} (${error.cause?.code ?? error.message}). Start one with: npm start`,
    );
  }
}

/** Sends one message over HTTP. The recipient lists, decrypts and acknowledges it, and then it is gone. */
async function overHttp(from, to, text) {
  const messageBox = 'demo_inbox';
  await step(`${from.name} sends ${to.name} an encrypted message over HTTP`, () =>
    from.client.sendMessage({ recipient: to.key, messageBox, body: text }, host),
  );
  const messages = await step(`${to.name} lists and decrypts`, () => to.client.listMessages({ messageBox, host }));
  const message = messages.find((m) => m.sender === from.key && m.body === text);
  check(message !== undefined, `${to.name} did not find the message`);
  await step(`${to.name} acknowledges`, () => to.client.acknowledgeMessage({ messageIds: [message.messageId], host }));
  const left = await to.client.listMessages({ messageBox, host });
  check(!left.some((m) => m.messageId === message.messageId), 'the message is still there after its acknowledgement');
}

const liveBox = 'demo_live';

/** Opens a socket and joins the box. `person.live` waits for the next message that is pushed. */
async function listen(person) {
  const joined = expectation('joinedRoom');
  person.live = expectation('the live message');
  await person.client.initializeConnection(host);
  person.client.testSocket.on('joinedRoom', joined.arrive);
  await person.client.listenForLiveMessages({
    messageBox: liveBox,
    overrideHost: host,
    onMessage: (message) => person.live.arrive(message),
  });
  await joined.promise;
}

/** Sends one message over a socket. It is pushed to the recipient's listener, and also stored. */
async function live(from, to, text) {
  const sent = performance.now();
  await step(`${from.name} sends ${to.name} an encrypted message live`, () =>
    from.client.sendLiveMessage({ recipient: to.key, messageBox: liveBox, body: text }, host),
  );
  const message = await to.live.promise;
  check(message.body === text && message.sender === from.key, `${to.name} received something else`);
  process.stdout.write(
    `  ${to.name} reads "${message.body}", ${Math.round(performance.now() - sent)} ms after it was sent\n`,
  );
  await step(`${to.name} acknowledges`, () => to.client.acknowledgeMessage({ messageIds: [message.messageId], host }));
}

/** Creates a person with a wallet on the play chain of a server on the local network. */
async function personWithMoney(name, satoshis) {
  const money = await openDeveloperWallet({ origin: host });
  if (satoshis > 0) await money.fund(satoshis);
  const client = new MessageBoxClient({ host, walletClient: money.wallet, networkPreset: 'local' });
  await client.init(host);
  return { name, client, key: money.identityKey, money };
}

/** Runs the work without the console output of the client, which logs while it requests quotes. */
async function quietly(work) {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await work();
  } finally {
    console.log = log;
  }
}

/** Sends a message that costs something. The sender pays the server and the recipient. */
async function paid(from, to, text) {
  const messageBox = 'notifications';
  const before = await from.money.balance();
  await step(`${from.name} sends ${to.name} a notification, and pays for it`, () =>
    quietly(() => from.client.sendMessage({ recipient: to.key, messageBox, body: text, checkPermissions: true }, host)),
  );
  const messages = await step(`${to.name} lists it, and receives the money`, () =>
    to.client.listMessages({ messageBox, host }),
  );
  check(messages.length === 1 && messages[0].body === text, `${to.name} did not find the notification`);
  const [spent, received] = [before - (await from.money.balance()), await to.money.balance()];
  check(received === 10, `${to.name} received ${received} satoshis`);
  process.stdout.write(
    `  ${from.name} paid ${spent} satoshis including the transaction fee, ${to.name} received ${received}\n`,
  );
  const messageIds = messages.map(({ messageId }) => messageId);
  await step(`${to.name} acknowledges`, () => to.client.acknowledgeMessage({ messageIds, host }));
}

/** Advertises on the overlay the host where an identity receives messages, then finds, replaces and revokes that. */
async function advertised(person, seeker) {
  const found = async () => (await seeker.client.queryAdvertisements(person.key)).map((ad) => ad.host);
  const [first, second] = ['https://first.messagebox-demo.com', 'https://second.messagebox-demo.com'];
  await step(`${person.name} advertises ${first}`, () => person.client.anointHost(first));
  check(String(await found()) === first, `${seeker.name} did not find the advertisement`);
  await step(`${seeker.name} finds it; ${person.name} moves to ${second}`, () => person.client.anointHost(second));
  check(String(await found()) === second, 'the second advertisement did not replace the first');
  await step(`${seeker.name} finds only the new one; ${person.name} revokes it`, async () => {
    const [advertisement] = await person.client.queryAdvertisements();
    await person.client.revokeHostAdvertisement(advertisement);
  });
  check((await found()).length === 0, 'the advertisement is still there');
  process.stdout.write(`  ${seeker.name} finds none\n`);
}

/** Whether the server is on the local network, with its play chain and its faucet. */
async function hasPlayMoney() {
  const answer = await fetch(`${host}/development/chain`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ method: 'getHeight', args: [] }),
  });
  await answer.arrayBuffer();
  return answer.ok;
}

process.stdout.write(`\nMessageBox demo against ${host}\n\n`);
try {
  await assertReachable();
  const alice = await person('Alice');
  const bob = await person('Bob');
  process.stdout.write(`  Alice is ${alice.key}\n  Bob is   ${bob.key}\n\n`);
  await overHttp(alice, bob, 'Hello Bob, this waits for you.');
  await overHttp(bob, alice, 'Hello Alice, so does this.');
  process.stdout.write('\n');
  await step('Alice listens', () => listen(alice));
  await step('Bob listens', () => listen(bob));
  await live(alice, bob, 'Bob, are you there?');
  await live(bob, alice, 'I am, Alice.');
  if (await hasPlayMoney()) {
    process.stdout.write('\n');
    const carol = await step('Carol opens a wallet and receives 10,000 satoshis of play money', () =>
      personWithMoney('Carol', 10_000),
    );
    const dave = await step('Dave opens a wallet without money', () => personWithMoney('Dave', 0));
    await paid(carol, dave, 'Dave, this was worth it.');
    if (host === LOCAL_PRESET) {
      process.stdout.write('\n');
      await advertised(carol, dave);
    } else {
      process.stdout.write(`\n  Skipped advertisements: the local preset looks for them at ${LOCAL_PRESET}.\n`);
    }
    await Promise.all([carol, dave].map(({ money }) => money.close()));
  } else {
    process.stdout.write('\n  Skipped payments and advertisements: this server is not on the local network.\n');
  }
  process.stdout.write(
    `\nEverything arrived and was acknowledged, in ${Math.round(performance.now() - started)} ms.\n\n`,
  );
  await Promise.all([alice, bob].map(({ client }) => client.disconnectWebSocket()));
  process.exit(0);
} catch (error) {
  process.stdout.write(`\n\nThe demo failed: ${error.message}\n\n`);
  process.exit(1);
}
