// Answers each message in its box with the same text.
import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';

const host = process.env.MESSAGEBOX_URL ?? 'http://localhost:8080';
const key = process.env.BOT_KEY ? PrivateKey.fromHex(process.env.BOT_KEY) : PrivateKey.fromRandom();
const client = new MessageBoxClient({ host, walletClient: new CompletedProtoWallet(key), networkPreset: 'local' });
/** A message may arrive live and be listed as well. */
const answered = new Set();

async function answer({ messageId, sender, body }) {
  if (answered.has(messageId)) return;
  answered.add(messageId);
  try {
    // The id makes the answer safe to repeat: the server stores it once.
    const reply = {
      recipient: sender,
      messageBox: 'answers',
      messageId: `answer-${messageId}`,
      body: `You said: ${body}`,
    };
    await client.sendMessage(reply, host);
    await client.acknowledgeMessage({ messageIds: [messageId], host });
  } catch (error) {
    answered.delete(messageId); // it stays in the box, for the next start
    console.error(`No answer: ${error.message}`);
  }
}

await client.listenForLiveMessages({ messageBox: 'bot', overrideHost: host, onMessage: answer });
for (const message of await client.listMessages({ messageBox: 'bot', host })) await answer(message);
console.log(`Write to the box "bot" of ${key.toPublicKey()}`);
