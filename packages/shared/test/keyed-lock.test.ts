import { KeyedLock } from '../src/limits/keyed-lock.js';

test('work with the same key runs one after the other, in the order of its calls', async () => {
  const lock = new KeyedLock();
  const order: string[] = [];
  const run = async (name: string) => {
    const unlock = await lock.acquire('key');
    order.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`${name} ends`);
    unlock();
  };
  await Promise.all([run('a'), run('b'), run('c')]);
  expect(order).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('a key that is locked holds up no other key', async () => {
  const lock = new KeyedLock();
  await lock.acquire('one');
  const unlock = await lock.acquire('other');
  unlock();
  await lock.acquire('other');
});

test('a key is free again when the last work with it has ended', async () => {
  const lock = new KeyedLock();
  for (let turn = 0; turn < 3; turn++) {
    const unlock = await lock.acquire('key');
    unlock();
  }
});
