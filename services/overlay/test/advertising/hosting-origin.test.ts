import { hostingOrigin } from '../../src/advertising/hosting-origin.js';

const MORE = 'HOSTING_DOMAIN is more than an origin such as https://messagebox.example';
const PRIVATE = 'HOSTING_DOMAIN is not a name of the public internet';
const NO_HTTPS = 'HOSTING_DOMAIN is no https origin';

describe('the address that can be advertised', () => {
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
  ])('%s is %s', (given, origin) => {
    expect(hostingOrigin(given)).toEqual({ origin });
  });

  test('a name with other letters also after many calls', () => {
    const names = Array.from({ length: 20_000 }, () => hostingOrigin('https://b\u00fcro.de'));
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
    [`https://${'a.'.repeat(124)}com`, 'HOSTING_DOMAIN can not stand in an advertisement'],
  ])('%p is not: %s', (given, reason) => {
    expect(hostingOrigin(given)).toEqual({ reason });
  });

  test('says why without repeating what may be a secret', () => {
    expect(JSON.stringify(hostingOrigin('https://me:hunter2@messagebox-one.com'))).not.toContain('hunter2');
  });
});
