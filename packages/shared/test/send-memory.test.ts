import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type SendParts, send } from '../src/rules/send.js';

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
    normaliseKey: (key: string) => key,
  } as unknown as SendParts;
  const request = { message: { recipient: 'r', messageBox: 'inbox', messageId: 'id', body: { many: [{}, {}] } } };
  return { parsed: new WeakRef(request), sending: send(parts, 's', request), fail: () => fail() };
}

test('what a request was parsed into is let go of while the database is awaited', async () => {
  const { parsed, sending, fail } = startSend();
  // A turn of the loop later nothing that merely ran keeps it.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(parsed.deref()).toBeUndefined();
  fail();
  await expect(sending).rejects.toThrow('the database is away');
});
