import { BlockList } from '../src/blocking/block-list.js';
import { createLogger } from '../src/logging/logger.js';
import { IdentityNotices } from '../src/room-events/identity-notices.js';

const log = createLogger('test', 'info', { write: () => undefined });

describe('BlockList', () => {
  let keys: string[];
  let notices: IdentityNotices;
  let list: BlockList;
  let read: jest.Mock<Promise<string[]>, []>;
  beforeEach(() => {
    keys = [];
    notices = new IdentityNotices();
    read = jest.fn(async () => [...keys]);
    list = new BlockList({ read, notices, log });
  });
  afterEach(() => list.close());

  test('reads the list before the first answer, and then answers from memory', async () => {
    keys = ['mallory'];
    expect(list.isBlocked('mallory')).toBe(false);
    expect(await list.check('mallory')).toBe(true);
    expect(await list.check('alice')).toBe(false);
    expect(list.isBlocked('mallory')).toBe(true);
    expect(read).toHaveBeenCalledTimes(1);
  });

  test('refuses to answer while it was never read, and answers from memory when a later read fails', async () => {
    read.mockRejectedValueOnce(new Error('no database'));
    await expect(list.check('mallory')).rejects.toThrow('no database');
    keys = ['mallory'];
    expect(await list.check('mallory')).toBe(true);
    read.mockRejectedValueOnce(new Error('no database'));
    await list.refresh();
    expect(await list.check('mallory')).toBe(true);
  });

  test('a notice makes it read again, and tells of those who are new', async () => {
    const blocked: string[] = [];
    list.onBlocked((key) => blocked.push(key));
    keys = ['mallory'];
    await list.refresh();
    keys = ['mallory', 'eve'];
    notices.send({ type: 'blocks_changed' });
    await list.refresh();
    expect(blocked).toEqual(['mallory', 'eve']);
    keys = ['eve'];
    await list.refresh();
    expect(await list.check('mallory')).toBe(false);
    expect(blocked).toEqual(['mallory', 'eve']);
  });

  test('a change during a read is read afterwards', async () => {
    let answer: ((keys: string[]) => void) | undefined;
    read.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    const first = list.refresh();
    keys = ['mallory'];
    const second = list.refresh();
    answer?.([]);
    await Promise.all([first, second]);
    expect(list.isBlocked('mallory')).toBe(true);
  });

  test('reads again by itself, also when no notice comes, until it is closed', async () => {
    jest.useFakeTimers();
    try {
      const timed = new BlockList({ read, notices, log });
      await jest.advanceTimersByTimeAsync(4_000);
      expect(read).toHaveBeenCalledTimes(1);
      keys = ['mallory'];
      await jest.advanceTimersByTimeAsync(4_000);
      expect(timed.isBlocked('mallory')).toBe(true);
      timed.close();
      await jest.advanceTimersByTimeAsync(20_000);
      expect(read).toHaveBeenCalledTimes(2);
    } finally {
      jest.useRealTimers();
    }
  });
});
