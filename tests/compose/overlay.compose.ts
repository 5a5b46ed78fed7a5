import { PrivateKey } from '@bsv/sdk';
import { waitUntil } from '../acceptance/history.js';
import { OVERLAY_PATHS } from '../support/overlay-paths.js';
import { edgeUrl, listContainers } from './stack.js';

/** Enough for each instance to get some. */
const REQUESTS = 40;

const lookup = (query: unknown) =>
  fetch(`${edgeUrl}/lookup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service: 'ls_messagebox', query }),
  });

/** Requests that the overlay's instances have had, of any kind but health checks. */
async function readRequestCounts(): Promise<number> {
  const metric = 'messagebox_http_request_duration_seconds_count';
  const each = (await listContainers('overlay')).map(async (overlay) => {
    const numbers = await overlay.readMetrics();
    return numbers.sum(metric) - numbers.sum(metric, { route: '/health' });
  });
  return (await Promise.all(each)).reduce((sum, had) => sum + had, 0);
}

describe('the overlay, by way of the edge', () => {
  test('says which topics and services it has', async () => {
    for (let i = 0; i < REQUESTS; i++) {
      const topics = await fetch(`${edgeUrl}/listTopicManagers`);
      expect(topics.status).toBe(200);
      expect(await topics.json()).toHaveProperty('tm_messagebox');
    }
    const services = await fetch(`${edgeUrl}/listLookupServiceProviders`);
    expect(services.status).toBe(200);
    expect(await services.json()).toHaveProperty('ls_messagebox');
  });

  test('finds no host of somebody who has none', async () => {
    for (let i = 0; i < REQUESTS; i++) {
      const answer = await lookup({ identityKey: PrivateKey.fromRandom().toPublicKey().toString() });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ type: 'output-list', outputs: [] });
    }
  });

  test('gets what is on its paths, and nothing else', async () => {
    const before = await readRequestCounts();
    // To some of them a wrong request: what matters is who answers.
    for (const path of OVERLAY_PATHS) await (await fetch(`${edgeUrl}${path}`, { method: 'POST' })).arrayBuffer();
    // Counted when the connection knows that the answer is out.
    await waitUntil('all are counted', async () => (await readRequestCounts()) === before + OVERLAY_PATHS.length);
    for (const path of OVERLAY_PATHS) {
      for (const other of [`/api${path}`, `${path}/more`]) {
        expect((await fetch(`${edgeUrl}${other}`, { method: 'POST' })).ok).toBe(false);
      }
    }
    for (const path of ['/overlay/ads', '/sendMessage', '/health/ready']) await fetch(`${edgeUrl}${path}`);
    expect(await readRequestCounts()).toBe(before + OVERLAY_PATHS.length);
  });
});
