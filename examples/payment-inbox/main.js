// Carol pays Dave through his payment inbox, as PeerPay does, with play money of a server on the local network: node main.js
import { PeerPayClient } from '@bsv/message-box-client';
import { openDeveloperWallet } from '@messagebox/devnet';
import { acceptPayment } from './accept-payment.js';

const host = process.env.MESSAGEBOX_URL ?? 'http://localhost:8080';
const [carol, dave] = await Promise.all([openPerson(), openPerson()]);
await carol.money.fund(10_000);

await carol.client.sendPayment({ recipient: dave.key, amount: 1_000 }, host);
console.log(`Carol sent 1000 satoshis and has ${await carol.money.balance()} left`);

for (const payment of await dave.client.listIncomingPayments(host)) {
  await acceptPayment(payment, { client: dave.client, wallet: dave.money.wallet, host });
  console.log(`Dave accepted ${payment.token.amount} satoshis and has ${await dave.money.balance()}`);
}
const left = await dave.client.listIncomingPayments(host);
console.log(`${left.length} payments wait`);
await Promise.all([carol.money.close(), dave.money.close()]);

async function openPerson() {
  const money = await openDeveloperWallet({ origin: host });
  const client = new PeerPayClient({ messageBoxHost: host, walletClient: money.wallet });
  return { money, client, key: money.identityKey };
}
