// Starts servers, uses them and closes them, as the tests of an app do. Then nothing may keep the process alive.
import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { openDeveloperWallet } from '@messagebox/devnet';
import { startMessageBox } from '../../dist/index.js';

const { log } = console;
console.log = () => undefined; // the client's own lines

const servers = await Promise.all([startMessageBox(), startMessageBox()]);
const [{ url }] = servers;

const money = await openDeveloperWallet({ origin: url });
await money.fund(1_000);

const key = PrivateKey.fromRandom();
const wallet = new CompletedProtoWallet(key);
const client = new MessageBoxClient({ host: url, walletClient: wallet, networkPreset: 'local' });
const recipient = key.toPublicKey().toString();
await client.initializeConnection(url);
const joined = new Promise((resolve) => client.testSocket.on('joinedRoom', resolve));
const received = new Promise((resolve) => {
  void client.listenForLiveMessages({ messageBox: 'inbox', overrideHost: url, onMessage: resolve });
});
await joined;
await client.sendMessage({ recipient, messageBox: 'inbox', body: 'hello' }, url);
const { body } = await received;

await client.disconnectWebSocket();
await money.close();
await Promise.all(servers.map((server) => server.close()));
log(body);
