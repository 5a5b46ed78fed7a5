import type { Deployment } from '../deployments.js';

const identityKey = expect.stringMatching(/^0[23][0-9a-f]{64}$/);

/** What a server tells anybody about itself, as it comes. */
export function serverInfoSuite(at: () => Deployment): void {
  describe('GET /info', () => {
    test('says what the server is and what it allows, to anybody', async () => {
      const response = await fetch(`${at().apis[0]}/info`, { headers: { Origin: 'https://app.example' } });
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('cache-control')).toBe('public, max-age=60');
      expect(await response.json()).toEqual({
        status: 'success',
        product: 'MessageBox',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        identityKey,
        network: 'local',
        limits: {
          requestBodyBytes: 10_485_760,
          otherRequestBodyBytes: 2_097_152,
          listedBodyBytes: 16_000_000,
          copiedBodyBytes: 67_108_864,
          liveBodyBytes: 2_097_152,
          liveEventBytes: 1_048_576,
          paidMessages: { eachBytes: 10_551_296, allBytes: 16_777_216 },
          recipients: 100,
          acknowledgedIds: 1_000,
          messageIdCharacters: 255,
          messageIdBytes: 256,
          boxNameCharacters: 255,
          boxes: null,
          listPage: { messages: 1_000, bytes: 1_048_576 },
          listAnswer: { messages: 10_000, bytes: 15_000_000 },
          permissions: 10_000,
          devices: 50,
          quotas: {
            inbox: { messages: 10_000, bytes: 1_073_741_824 },
            sender: { messages: 10_000, bytes: 1_073_741_824 },
            pair: { messages: 1_000, bytes: 104_857_600 },
          },
          retentionDays: null,
          expiryYears: 1,
        },
        fees: {
          delivery: { inbox: 0, notifications: 10, payment_inbox: 0 },
          recipientDefaults: { notifications: 10 },
        },
        push: {
          boxes: ['notifications'],
          fcm: false,
          // Standalone has made keys for Web Push.
          ...(at().processes.apis[0].name === 'standalone'
            ? { vapidPublicKey: expect.stringMatching(/^B[\w-]{86}$/) }
            : {}),
        },
        websockets: { enabled: true, path: '/socket.io/' },
        overlay: {
          url: null,
          topics: ['tm_messagebox', 'tm_ship', 'tm_slap'],
          lookupServices: ['ls_messagebox', 'ls_ship', 'ls_slap'],
        },
      });
    });

    test('names the overlay services that there are', async () => {
      const { overlay } = (await (await fetch(`${at().apis[0]}/info`)).json()) as {
        overlay: { topics: string[]; lookupServices: string[] };
      };
      for (const url of at().overlays) {
        const names = async (route: string) =>
          Object.keys((await (await fetch(`${url}/${route}`)).json()) as object).sort();
        expect(await names('listTopicManagers')).toEqual(overlay.topics);
        expect(await names('listLookupServiceProviders')).toEqual(overlay.lookupServices);
      }
    });

    test('instances answer alike, and a cache asks whether the answer has changed', async () => {
      const [one, other] = await Promise.all(at().apis.map((api) => fetch(`${api}/info`)));
      const etag = one?.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[\w-]{27}"$/);
      expect(other?.headers.get('etag')).toBe(etag);
      for (const api of at().apis) {
        const again = await fetch(`${api}/info`, { headers: { 'If-None-Match': etag } });
        expect([again.status, await again.text()]).toEqual([304, '']);
        expect(again.headers.get('etag')).toBe(etag);
        const among = await fetch(`${api}/info`, { headers: { 'If-None-Match': `"other", W/${etag}` } });
        expect(among.status).toBe(304);
        const changed = await fetch(`${api}/info`, { headers: { 'If-None-Match': '"other"' } });
        expect(changed.status).toBe(200);
      }
    });

    test('the identity is the one that signs', async () => {
      const key = String(at().processes.apis[0].listening['identityKey']);
      expect(await (await fetch(`${at().apis[0]}/info`)).json()).toMatchObject({ identityKey: key });
    });
  });
}
