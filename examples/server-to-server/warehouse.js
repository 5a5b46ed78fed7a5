// Does the jobs in its box: node warehouse.js. A job is acknowledged when its result is stored, and not before: whatever ends
// this process, the job is done at the next start.
import { setTimeout as delay } from 'node:timers/promises';
import { connect, readBody } from './connect.js';
import { pack } from './pack.js';
import { withRetry } from './retry.js';

const POLL_INTERVAL_MS = 200;
/** Then its sender is told that the job failed, so that it does not hold up the others. */
const ATTEMPTS = 3;
const { client, host, identityKey } = connect(process.env.WAREHOUSE_KEY);
console.log(`The warehouse is ${identityKey}`);

async function doJob(job) {
  try {
    return await withRetry(job, () => pack(job), ATTEMPTS);
  } catch (error) {
    return `could not pack ${job}: ${error.message}`;
  }
}

async function work({ messageId, sender, body }) {
  const { id, job } = readBody(body);
  if (typeof id === 'string' && typeof job === 'string') {
    const result = await doJob(job);
    const answer = {
      recipient: sender,
      messageBox: 'results',
      messageId: `result-${id}`,
      body: JSON.stringify({ id, result }),
    };
    await withRetry(`answering ${job}`, () => client.sendMessage(answer, host));
    console.log(result);
  }
  // What is no job is acknowledged as well: it would never become one.
  await withRetry('acknowledging', () => client.acknowledgeMessage({ messageIds: [messageId], host }));
}

for (;;) {
  const messages = await withRetry('listing', () => client.listMessages({ messageBox: 'jobs', host }));
  for (const message of messages) await work(message);
  if (messages.length === 0) await delay(POLL_INTERVAL_MS);
}
