import { parseHostingOrigin } from '../../src/hosts/hosting-origin.js';

const MORE = 'HOSTING_DOMAIN must be an origin without a path, such as https://messagebox.example';
const PRIVATE = 'HOSTING_DOMAIN is not a public name';
const NO_HTTPS = 'HOSTING_DOMAIN is not an https origin';

describe('parseHostingOrigin', () => {
  test.each([
    ['https://messagebox-one.com', 'https://messagebox-one.com'],
    ['https://messagebox-one.com/', 'https://messagebox-one.com'],
    ['https://MessageBox-One.com:443', 'https://messagebox-one.com'],
    ['https://messagebox-one.com:8443', 'https://messagebox-one.com:8443'],
    ['messagebox-one.com', 'https://messagebox-one.com'],
    ['messagebox-one.com:8443', 'https://messagebox-one.com:8443'],
    ['https://büro.de', 'https://xn--bro-hoa.de'],
    ['https://8.8.8.8', 'https://8.8.8.8'],
    ['https://[2606:4700::1111]', 'https://[2606:4700::1111]'],
  ])('converts %s to %s', (given, origin) => {
    expect(parseHostingOrigin(given)).toEqual({ origin });
  });

  test('accepts a name with non-ASCII letters also after 20,000 calls', () => {
    const names = Array.from({ length: 20_000 }, () => parseHostingOrigin('https://b\u00fcro.de'));
    expect(names.filter((found) => !('origin' in found))).toEqual([]);
  });

  test.each([
    [undefined, 'HOSTING_DOMAIN is not set'],
    ['http://messagebox-one.com', NO_HTTPS],
    ['ftp://messagebox-one.com', NO_HTTPS],
    ['wss://messagebox-one.com', NO_HTTPS],
    ['https://', NO_HTTPS],
    [' ', NO_HTTPS],
    ['not a host', NO_HTTPS],
    ['https://messagebox-one.com:99999', NO_HTTPS],
    ['https://messagebox-one.com/api', MORE],
    ['messagebox-one.com/api', MORE],
    ['https://messagebox-one.com/?a=b', MORE],
    ['https://messagebox-one.com/#a', MORE],
    ['https://me@messagebox-one.com', MORE],
    ['https://:secret@messagebox-one.com', MORE],
    ['localhost', PRIVATE],
    ['localhost:8080', PRIVATE],
    ['https://localhost', PRIVATE],
    ['https://messagebox', PRIVATE],
    ['https://messagebox.local', PRIVATE],
    ['https://messagebox.test', PRIVATE],
    ['https://api.internal', PRIVATE],
    ['https://127.0.0.1', PRIVATE],
    ['https://2130706433', PRIVATE],
    ['https://0x7f.1', PRIVATE],
    ['https://10.1.2.3', PRIVATE],
    ['https://192.168.0.1:8443', PRIVATE],
    ['https://169.254.169.254', PRIVATE],
    ['https://[::1]', PRIVATE],
    ['https://[fd00::1]', PRIVATE],
    ['https://[::ffff:10.0.0.1]', PRIVATE],
    [`https://${'a.'.repeat(124)}com`, 'HOSTING_DOMAIN cannot be used in an advertisement'],
  ])('refuses %p: %s', (given, reason) => {
    expect(parseHostingOrigin(given)).toEqual({ reason });
  });

  test('gives a reason that does not contain a password', () => {
    expect(JSON.stringify(parseHostingOrigin('https://me:hunter2@messagebox-one.com'))).not.toContain('hunter2');
  });
});
