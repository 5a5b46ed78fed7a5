import type { Deployment } from '../deployments.js';

const cors = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': '*',
  'access-control-allow-headers': expect.stringMatching(/\*.*authorization/i),
  'access-control-expose-headers': '*',
  'access-control-allow-private-network': 'true',
};

/** Answers to unsigned requests of browsers and load balancers. */
export function httpSurfaceSuite(at: () => Deployment): void {
  describe('for browsers', () => {
    const preflight = {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://app.example',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type,x-bsv-auth-signature',
        'Access-Control-Request-Private-Network': 'true',
      },
    };
    const headersOf = (response: Response) => Object.fromEntries(response.headers);

    test.each(['/sendMessage', '/listMessages', '/.well-known/auth', '/info', '/health', '/ready'])(
      'preflight of %s',
      async (route) => {
        const response = await fetch(`${at().apis[0]}${route}`, preflight);
        expect(response.status).toBe(200);
        expect(headersOf(response)).toMatchObject(cors);
      },
    );

    test('answers and refusals carry the same headers', async () => {
      const response = await fetch(`${at().apis[0]}/listMessages`, { method: 'POST', body: '{}' });
      expect(response.status).toBe(401);
      expect(headersOf(response)).toMatchObject(cors);
      expect(await response.json()).toEqual({
        status: 'error',
        code: 'UNAUTHORIZED',
        message: 'Mutual-authentication failed!',
      });
    });

    test('long polling: preflight, opening and a refusal', async () => {
      const polling = `${at().realtimes[0]}/socket.io/?EIO=4&transport=polling`;
      const allowed = await fetch(polling, preflight);
      expect(allowed.status).toBe(200);
      expect(headersOf(allowed)).toMatchObject(cors);
      const opened = await fetch(polling, { headers: { Origin: 'https://app.example' } });
      expect(opened.status).toBe(200);
      expect(headersOf(opened)).toMatchObject(cors);
      expect(await opened.text()).toMatch(/^0\{"sid":/);
      const unknown = await fetch(`${polling}&sid=unknown`, { headers: { Origin: 'https://app.example' } });
      expect(unknown.status).toBe(400);
      expect(headersOf(unknown)).toMatchObject({ 'access-control-allow-origin': '*' });
    });
  });

  describe('for operators', () => {
    test('every process is alive and ready', async () => {
      for (const url of [...at().apis, ...at().realtimes]) {
        const live = await fetch(`${url}/health/live`);
        expect([live.status, await live.json()]).toEqual([200, { status: 'alive' }]);
        const ready = await fetch(`${url}/health/ready`);
        expect([ready.status, await ready.json()]).toMatchObject([
          200,
          { status: 'ready', checks: { database: 'ok' } },
        ]);
      }
    });

    test('every process answers by the short names as well', async () => {
      for (const url of [...at().apis, ...at().realtimes, ...at().overlays]) {
        const live = await fetch(`${url}/health`);
        expect([live.status, await live.json()]).toEqual([200, { status: 'ok' }]);
        const ready = await fetch(`${url}/ready`);
        expect([ready.status, await ready.json()]).toMatchObject([
          200,
          { status: 'ready', checks: { database: 'ok' } },
        ]);
      }
    });

    test('an unknown path is answered in JSON', async () => {
      for (const url of [...at().apis, ...at().realtimes]) {
        const response = await fetch(`${url}/health/unknown`);
        // An api asks for a signature first: who has none learns nothing about its paths.
        expect([401, 404]).toContain(response.status);
        expect(await response.json()).toMatchObject({ status: 'error' });
      }
    });
  });
}
