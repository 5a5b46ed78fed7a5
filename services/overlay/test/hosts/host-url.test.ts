import { parseHostUrl, toHostBase } from '../../src/hosts/host-url.js';

describe('toHostBase', () => {
  const HOST = 'https://8.1';
  test.each([
    ['HTTPS://Box.Mailboxes.org', undefined],
    ['https://Box.mailboxes.org:443/', 'https://box.mailboxes.org'],
    ['https://box.mailboxes.org/a//', 'https://box.mailboxes.org/a'],
    [HOST, 'https://8.0.0.1'],
    ['https://127.1', undefined],
  ])('converts %s to %s', (address, base) => expect(toHostBase(address, 'main')).toBe(base));

  test('refuses a base that is longer than its column, even when the given URL is shorter', () => {
    const longest = `${HOST}/`.padEnd(251, 'a');
    expect(toHostBase(longest, 'main')).toBe(longest.replace('8.1', '8.0.0.1'));
    expect(toHostBase(`${longest}a`, 'main')).toBeUndefined();
    expect(parseHostUrl(`${longest}a`, 'main')).toBeDefined();
  });
});
