import { once } from 'node:events';
import { createServer } from 'node:net';
import { findFreePort } from '../src/ports.js';

test('concurrent calls get different ports, which can be listened on, released and taken again', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, findFreePort));
  expect(new Set(ports).size).toBe(50);
  for (const port of ports.slice(0, 5)) {
    for (let time = 0; time < 2; time += 1) {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
  }
});
