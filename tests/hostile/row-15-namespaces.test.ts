import { LiveTestBed } from '../bad-input/live-world.ts';
import { HttpConnection } from './wire/http-wire.ts';
import { PollingConnection } from './wire/polling-wire.ts';

/** The data that waits for a client that does not fetch it is bounded, whatever the client answers. */
const POSTS = 40;
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterAll(() => live.close());

test('a connection is ended that asks for unknown namespaces and never takes the answers', async () => {
  const wire = await HttpConnection.open({ host: '127.0.0.1', port: live.http.server.port });
  try {
    const polling = await PollingConnection.open(wire);
    const packets = '40/nowhere,\x1e'.repeat(5_000).slice(0, -1);
    let status = 200;
    // Without a bound, 40 posts of 60 KB make the server hold some 20 MB of answers and their objects.
    for (let i = 0; i < POSTS && status === 200; i++) status = await polling.post(packets);
    expect(status).toBe(400);
  } finally {
    wire.destroy();
  }
});
