import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { JsonServer } from '../src/http/json-server.js';

const CLIENTS = 20;

/** Connects and sends in a separate thread, reports that through shared memory, and counts the responses. */
const clients = `
  const { connect } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const { port, count, sent } = workerData;
  let ended = 0, answered = 0;
  for (let i = 0; i < count; i++) {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n', () => {
        if (Atomics.add(sent, 0, 1) === count - 1) Atomics.notify(sent, 0);
      });
    });
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (text.startsWith('HTTP/1.1 200')) answered += 1;
      if (++ended === count) parentPort.postMessage(answered);
    });
  }
`;

test('answers requests that were sent before it closed, even when it had not accepted their connections', async () => {
  const server = new JsonServer((_request, response) => response.end('{}'));
  const port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(clients, { eval: true, workerData: { port, count: CLIENTS, sent } });
  await once(worker, 'online');
  // This thread blocks, as a busy server does, until all clients have sent their request.
  for (let seen = 0; seen < CLIENTS; seen = Atomics.load(sent, 0)) Atomics.wait(sent, 0, seen, 1_000);
  const answered = once(worker, 'message');
  await server.close(5_000);
  expect(await answered).toEqual([CLIENTS]);
  await worker.terminate();
});
