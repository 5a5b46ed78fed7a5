import { UntilDone } from '../src/room-events/until-done.js';

describe('a task that is repeated until it succeeds', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('runs once for requests that come together', async () => {
    const task = jest.fn(async () => undefined);
    const untilDone = new UntilDone(task, 100);
    untilDone.request();
    untilDone.request();
    await jest.advanceTimersByTimeAsync(99);
    expect(task).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(task).toHaveBeenCalledTimes(1);
  });

  test('runs again after each failure, until it succeeds', async () => {
    const task = jest.fn(async () => undefined);
    task.mockRejectedValueOnce(new Error('1')).mockRejectedValueOnce(new Error('2'));
    new UntilDone(task, 100).request();
    await jest.advanceTimersByTimeAsync(200);
    expect(task).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(task).toHaveBeenCalledTimes(3);
  });

  test('runs once more for requests that come while it runs', async () => {
    let end: () => void = () => undefined;
    const task = jest.fn(() => new Promise<void>((resolve) => (end = resolve)));
    const untilDone = new UntilDone(task, 100);
    untilDone.request();
    await jest.advanceTimersByTimeAsync(100);
    untilDone.request();
    untilDone.request();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(task).toHaveBeenCalledTimes(1);
    end();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(task).toHaveBeenCalledTimes(2);
  });

  test('runs no more when it is closed', async () => {
    const task = jest.fn(async () => {
      throw new Error('never');
    });
    const untilDone = new UntilDone(task, 100);
    untilDone.request();
    await jest.advanceTimersByTimeAsync(100);
    untilDone.close();
    untilDone.request();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(task).toHaveBeenCalledTimes(1);
  });
});
