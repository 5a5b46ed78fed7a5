// Gives jobs to the warehouse, and prints their results: node shop.js WAREHOUSE_KEY JOB…
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, readBody } from './connect.js';
import { withRetry } from './retry.js';

const POLL_INTERVAL_MS = 200;
const [recipient = '', ...jobs] = process.argv.slice(2);
if (!/^0[23][0-9a-f]{64}$/.test(recipient) || jobs.length === 0) {
  console.error('Usage: node shop.js WAREHOUSE_KEY JOB…');
  process.exit(2);
}
const { client, host } = connect(process.env.SHOP_KEY);

/** @type {Map<string, string>} jobs by their ids */
const waiting = new Map(jobs.map((job) => [randomUUID(), job]));
for (const [id, job] of waiting) {
  // The same id each time: a send whose answer was lost is stored once.
  const message = { recipient, messageBox: 'jobs', messageId: id, body: JSON.stringify({ id, job }) };
  await withRetry(`sending ${job}`, () => client.sendMessage(message, host));
}
while (waiting.size > 0) {
  const messages = await withRetry('listing', () => client.listMessages({ messageBox: 'results', host }));
  for (const { messageId, sender, body } of messages) {
    const { id, result } = readBody(body);
    // Only the warehouse's results count.
    if (sender === recipient && waiting.delete(String(id))) console.log(result);
    await withRetry('acknowledging', () => client.acknowledgeMessage({ messageIds: [messageId], host }));
  }
  if (messages.length === 0) await delay(POLL_INTERVAL_MS);
}
