import { WritesRefusedError } from '../src/client/store-errors.js';
import { BoundedWrites } from '../src/sessions/bounded-writes.js';

/** A write that ends when the test says so. */
function createWrite() {
  let resolve: (result: string) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<string>((onResult, onError) => {
    resolve = onResult;
    reject = onError;
  });
  return { run: jest.fn(() => promise), resolve, reject };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('writes that are answered run side by side', async () => {
  const writes = new BoundedWrites(100);
  const [first, second] = [createWrite(), createWrite()];
  const results = [writes.run(first.run), writes.run(second.run)];
  second.resolve('second');
  first.resolve('first');
  expect(await Promise.all(results)).toEqual(['first', 'second']);
});

test('a write that is not answered in time is given up, and until it ends no other one begins', async () => {
  const writes = new BoundedWrites(100);
  const [stalled, refused, next] = [createWrite(), createWrite(), createWrite()];
  const late = expect(writes.run(stalled.run)).rejects.toThrow(WritesRefusedError);
  jest.advanceTimersByTime(100);
  await late;
  await expect(writes.run(refused.run)).rejects.toThrow(WritesRefusedError);
  expect(refused.run).not.toHaveBeenCalled();
  stalled.resolve('late');
  await Promise.resolve();
  next.resolve('in time');
  expect(await writes.run(next.run)).toBe('in time');
});

test('after a stalled write has failed, one write at a time tries again', async () => {
  const writes = new BoundedWrites(100);
  const [stalled, probe, refused, later] = [createWrite(), createWrite(), createWrite(), createWrite()];
  const late = expect(writes.run(stalled.run)).rejects.toThrow(WritesRefusedError);
  jest.advanceTimersByTime(100);
  await late;
  stalled.reject(new Error('no answer'));
  await Promise.resolve();
  await Promise.resolve();
  const probing = writes.run(probe.run);
  await expect(writes.run(refused.run)).rejects.toThrow(WritesRefusedError);
  expect(refused.run).not.toHaveBeenCalled();
  probe.resolve('again');
  expect(await probing).toBe('again');
  const results = [writes.run(later.run), writes.run(later.run)];
  later.resolve('later');
  expect(await Promise.all(results)).toEqual(['later', 'later']);
});

test('the error of a write reaches its caller', async () => {
  const failure = new Error('duplicate');
  await expect(new BoundedWrites().run(() => Promise.reject(failure))).rejects.toBe(failure);
});
