import { AdvertisedHosts, formatAdvertisedHostHeader, listOwnHosts, parseHostingUrl } from '../src/index.js';

const ALICE = `02${'aa'.repeat(32)}`;
const BOB = `03${'bb'.repeat(32)}`;

describe('the header for advertised hosts', () => {
  const format = async (hosts: Record<string, string[]>) => {
    const advertised = new AdvertisedHosts({ listHosts: async (key) => hosts[key] ?? [] }, ['here.org']);
    const recipients = Object.keys(hosts);
    return formatAdvertisedHostHeader(recipients, await advertised.findOtherHosts(recipients, undefined));
  };

  test('has the host for one recipient, and KEY=HOST for several', async () => {
    expect(await format({ [ALICE]: ['https://a.org:8443/x'] })).toBe('https://a.org:8443/x');
    expect(await format({ [ALICE]: ['https://a.org'], [BOB]: ['https://[2606:4700::1]'] })).toBe(
      `${ALICE}=https://a.org, ${BOB}=https://[2606:4700::1]`,
    );
    expect(await format({ [ALICE]: ['https://there.org', 'https://here.org'], [BOB]: [] })).toBeUndefined();
  });

  test.each([
    `https://evil.org/,${BOB}=https://evil.org`,
    `https://evil.org/, ${BOB}=https://evil.org`,
    `https://evil.org,${BOB}=https`,
    'https://evil.org/;a',
    'https://evil.org/a=b',
    'https://evil.org/"',
    'https://evil.org/\r\nx: 1',
    'https://evil.org/<a>',
    'javascript:alert(1)',
  ])('never contains the host %j, even when it was admitted', async (host) => {
    expect(await format({ [ALICE]: [host] })).toBeUndefined();
    expect(await format({ [ALICE]: [host, 'https://a.org'], [BOB]: ['https://b.org'] })).toBe(
      `${ALICE}=https://a.org, ${BOB}=https://b.org`,
    );
  });
});

test.each([
  [undefined, undefined, []],
  ['', undefined, []],
  ['not a host', undefined, []],
  ['messagebox.example', 'https://messagebox.example', ['messagebox.example']],
  ['x.com:8443', 'https://x.com:8443', ['x.com:8443']],
  ['http://localhost:8080', 'http://localhost:8080', ['localhost:8080']],
  ['https://Messagebox.example/', 'https://messagebox.example', ['messagebox.example']],
])('HOSTING_DOMAIN %j is read as %j', (given, origin, hosts) => {
  expect(parseHostingUrl(given)?.origin).toBe(origin);
  expect(listOwnHosts(given)).toEqual(hosts);
});
