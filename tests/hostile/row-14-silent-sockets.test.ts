import { RawClient } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from '../bad-input/live-world.ts';
import { HttpConnection } from './wire/http-wire.ts';
import { PollingConnection } from './wire/polling-wire.ts';

/** Places for sockets without an identity are shared fairly among addresses. */
const SOCKETS = 4_100;
const AT_ONCE = 10;
let live: LiveTestBed;
const wires: HttpConnection[] = [];
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterAll(async () => {
  for (const wire of wires) wire.destroy();
  await live.http.close();
});

test('while one address has 4,100 silent sockets, an honest one of another address is admitted', async () => {
  const endpoint = { host: '127.0.0.1', port: live.http.server.port };
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      let wire = await HttpConnection.open(endpoint, { localAddress: '127.0.2.1' });
      wires.push(wire);
      for (let i = 0; i < SOCKETS / AT_ONCE; i++) {
        try {
          await (await PollingConnection.open(wire)).post('40');
        } catch {
          // Refused: as good an end as any.
          if (wire.isOpen) continue;
          wire = await HttpConnection.open(endpoint, { localAddress: '127.0.2.1' });
          wires.push(wire);
        }
      }
    }),
  );
  const socket = await live.proven(new RawClient());
  await live.expectAlive(socket);
  // The same for all clients behind one other address that come back at once.
  const sockets = await Promise.all(Array.from({ length: 500 }, () => live.open()));
  expect(await live.http.server.metrics()).toMatch(
    /^messagebox_limits_hit_total\{.*limit="unproven_sockets".*\} \d+$/m,
  );
  for (const opened of [socket, ...sockets]) opened.close();
}, 120_000);
