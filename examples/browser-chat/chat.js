import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';

const messageBox = 'chat';
const host = new URLSearchParams(location.search).get('server') ?? 'http://localhost:8080';
const key = loadKey();
const client = new MessageBoxClient({ host, walletClient: new CompletedProtoWallet(key), networkPreset: 'local' });
/** A line may arrive live and be listed as well. */
const shown = new Set();

/** A throw-away identity of this tab. An app would use `WalletClient` of @bsv/sdk, which asks the user's wallet. */
function loadKey() {
  const stored = sessionStorage.getItem('chat-key');
  if (stored !== null) return PrivateKey.fromHex(stored);
  const created = PrivateKey.fromRandom();
  sessionStorage.setItem('chat-key', created.toHex());
  return created;
}

function setState(text) {
  document.querySelector('#state').textContent = text;
}

function showLine(text, isOwn) {
  const line = document.createElement('li');
  line.classList.toggle('own', isOwn);
  line.textContent = text; // as text: a line can hold anything
  document.querySelector('#lines').append(line);
}

/** Shows a line that came in, and acknowledges it: a chat needs no line twice. */
async function receive({ messageId, sender, body }) {
  if (shown.has(messageId)) return;
  shown.add(messageId);
  document.querySelector('#recipient').value ||= sender;
  showLine(typeof body === 'string' ? body : JSON.stringify(body), false);
  await client.acknowledgeMessage({ messageIds: [messageId], host });
}

async function send(event) {
  event.preventDefault();
  const [recipient, text] = ['#recipient', '#text'].map((field) => document.querySelector(field));
  try {
    await client.sendLiveMessage({ recipient: recipient.value, messageBox, body: text.value }, host);
    showLine(text.value, true);
    text.value = '';
    setState('Sent');
  } catch (error) {
    setState(`Not sent: ${error.message}`);
  }
}

document.querySelector('#own-key').textContent = key.toPublicKey().toString();
document.querySelector('#compose').addEventListener('submit', send);
try {
  await client.listenForLiveMessages({ messageBox, overrideHost: host, onMessage: receive });
  for (const message of await client.listMessages({ messageBox, host })) await receive(message);
  setState('Connected');
} catch (error) {
  setState(`Not connected: ${error.message}`);
}
