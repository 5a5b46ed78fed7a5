import { AdvertisedHosts, advertisedHostHeader, hostingUrl, ownHosts } from '../src/index.js';

const ALICE = `02${'aa'.repeat(32)}`;
const BOB = `03${'bb'.repeat(32)}`;

describe('telling senders of advertised hosts', () => {
  const told = async (hosts: Record<string, string[]>) => {
    const advertised = new AdvertisedHosts({ hostsOf: async (key) => hosts[key] ?? [] }, ['here.org']);
    const recipients = Object.keys(hosts);
    return advertisedHostHeader(recipients, await advertised.elsewhere(recipients, undefined));
  };

  test('of one recipient the host, of several whose it is', async () => {
    expect(await told({ [ALICE]: ['https://a.org:8443/x'] })).toBe('https://a.org:8443/x');
    expect(await told({ [ALICE]: ['https://a.org'], [BOB]: ['https://[2606:4700::1]'] })).toBe(
      `${ALICE}=https://a.org, ${BOB}=https://[2606:4700::1]`,
    );
    expect(await told({ [ALICE]: ['https://there.org', 'https://here.org'], [BOB]: [] })).toBeUndefined();
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
  ])('never %j, whatever has been admitted', async (host) => {
    expect(await told({ [ALICE]: [host] })).toBeUndefined();
    expect(await told({ [ALICE]: [host, 'https://a.org'], [BOB]: ['https://b.org'] })).toBe(
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
])('HOSTING_DOMAIN %j is %j', (given, origin, hosts) => {
  expect(hostingUrl(given)?.origin).toBe(origin);
  expect(ownHosts(given)).toEqual(hosts);
});
