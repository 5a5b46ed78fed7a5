import { SessionTable } from '../src/index.js';

describe('the sessions of a client', () => {
  const MINUTE = 60_000;
  let now = 0;
  beforeEach(() => {
    now = 1_000 * MINUTE;
  });
  const table = (limits = {}) => new SessionTable(() => now, limits);

  test('are forgotten after 30 idle minutes', () => {
    const sessions = table();
    const session = sessions.add('nonce', 'server');
    now += 29 * MINUTE;
    expect(sessions.get('nonce')).toBe(session);
    sessions.touch(session);
    now += 29 * MINUTE;
    expect(sessions.get('nonce')).toBe(session);
    now += MINUTE;
    expect(sessions.get('nonce')).toBeUndefined();
    expect(sessions.select('server')).toBeUndefined();
  });

  test('are selected when they are authenticated, the most recently used one first', () => {
    const sessions = table();
    const first = sessions.add('first', 'server');
    first.authenticated = true;
    now += 1;
    const second = sessions.add('second', 'server');
    expect(sessions.select('server')).toBe(first);
    second.authenticated = true;
    expect(sessions.select('server')).toBe(second);
    now += 1;
    sessions.touch(first);
    expect(sessions.select('server')).toBe(first);
    expect(sessions.select('another server')).toBeUndefined();
  });

  test('accept each message once, and at most 100,000 by default', () => {
    const session = table().add('nonce', 'server');
    const sessions = table({ maxMessages: 2 });
    sessions.claimMessage(session, 'one');
    expect(() => sessions.claimMessage(session, 'one')).toThrow(expect.objectContaining({ rule: '2' }));
    sessions.claimMessage(session, 'two');
    expect(() => sessions.claimMessage(session, 'three')).toThrow(expect.objectContaining({ rule: '9.14' }));
  });

  test('can be begun by a server once for each of its nonces', () => {
    const sessions = table({ maxHandshakes: 2 });
    for (const nonce of ['one', 'two']) sessions.claimHandshake('server', nonce);
    expect(() => sessions.claimHandshake('server', 'two')).toThrow(expect.objectContaining({ rule: '2' }));
    sessions.claimHandshake('another server', 'two');
    now += 30 * MINUTE;
    sessions.claimHandshake('server', 'two');
  });

  test('are removed when there are too many: the least recently used one that is not authenticated', () => {
    const sessions = table({ maxSessions: 2 });
    sessions.add('first', 'server').authenticated = true;
    now += 1;
    sessions.add('second', 'server');
    now += 1;
    const third = sessions.add('third', 'server');
    expect([sessions.get('first') === undefined, sessions.get('second')]).toEqual([false, undefined]);
    third.authenticated = true;
    expect(() => sessions.add('fourth', 'server')).toThrow('no room');
  });
});
