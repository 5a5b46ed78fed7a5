import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parseSend } from '../src/parse-send.js';
import { type SendMessagesOptions, sendMessages } from '../src/send-messages.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Starts a send whose database does not answer. */
function startSend(): { parsed: WeakRef<object>; sending: Promise<unknown>; fail: () => void } {
  let fail = () => {};
  const waiting = new Promise<never>((_resolve, reject) => {
    fail = () => reject(new Error('the database is away'));
  });
  const silent = new Proxy({}, { get: () => () => waiting });
  const parts = {
    permissions: silent,
    deliveryFees: silent,
    store: silent,
  } as unknown as SendMessagesOptions;
  const request = { message: { recipient: 'r', messageBox: 'inbox', messageId: 'id', body: { many: [{}, {}] } } };
  const command = parseSend({ normaliseKey: (key) => key, maxRecipients: 1 }, 's', request);
  return { parsed: new WeakRef(request), sending: sendMessages(parts, command), fail: () => fail() };
}

test('releases the parsed request while it waits for the database', async () => {
  const { parsed, sending, fail } = startSend();
  // After a turn of the event loop, finished functions no longer reference it.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(parsed.deref()).toBeUndefined();
  fail();
  await expect(sending).rejects.toThrow('the database is away');
});
