import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server that sends every byte back after a greeting of its own. */
async function echo(greeting = ''): Promise<string> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    closers.push(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(greeting);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => void server.close());
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function proxyTo(target: string): Promise<TcpProxy> {
  const proxy = await createTcpProxy({ target });
  closers.push(() => proxy.close());
  return proxy;
}

async function client(proxy: TcpProxy): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  closers.push(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The text that a socket receives until the other side ends or the text is long enough. */
async function read(socket: Socket, length = Number.POSITIVE_INFINITY): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.length >= length) break;
  }
  return text;
}

test('has the URL of the target with the proxy’s address', async () => {
  const proxy = await proxyTo('mysql://root:secret@localhost:3306/db');
  expect(proxy.url).toBe(`mysql://root:secret@127.0.0.1:${proxy.port}/db`);
  expect((await proxyTo('http://127.0.0.1:1')).url).not.toMatch(/\/$/);
});

test('forwards more than its buffers hold, whole and in order, and then the end', async () => {
  const socket = await client(await proxyTo(await echo()));
  const text = Array.from({ length: 600_000 }, (_, i) => String(i).padStart(8, '0')).join('');
  socket.end(text);
  const answer = await read(socket);
  expect(answer.length).toBe(text.length);
  expect(answer === text).toBe(true);
});

test('delays each direction and never reorders, also when the delay changes', async () => {
  const proxy = await proxyTo(await echo());
  const socket = await client(proxy);
  socket.setNoDelay(true);
  proxy.setDelay(100);
  const start = performance.now();
  socket.write('a');
  expect(await read(socket, 1)).toBe('a');
  expect(performance.now() - start).toBeGreaterThanOrEqual(199);

  let sent = '';
  for (let i = 0; i < 300; i += 1) {
    proxy.setDelay((i * 7) % 20);
    sent += `${i} `;
    socket.write(`${i} `);
    // One turn of the loop, so that the proxy gets it in many pieces with many delays.
    await new Promise(setImmediate);
  }
  socket.end();
  expect(await read(socket)).toBe(sent);
});

test('lets no more than its rate through, whole and in order, in each direction', async () => {
  const proxy = await proxyTo(await echo());
  proxy.setRate(1_000_000);
  const socket = await client(proxy);
  const text = Array.from({ length: 25_000 }, (_, i) => String(i).padStart(8, '0')).join('');
  const start = performance.now();
  socket.write(text);
  expect((await read(socket, text.length)) === text).toBe(true);
  expect(performance.now() - start).toBeGreaterThanOrEqual(199);
  proxy.setRate(undefined);
  socket.end('the end');
  expect(await read(socket)).toBe('the end');
});

test('cuts all connections, and takes new ones', async () => {
  const proxy = await proxyTo(await echo());
  const sockets = [await client(proxy), await client(proxy)];
  for (const socket of sockets) {
    socket.write('x');
    await read(socket, 1);
  }
  expect(proxy.connections).toBe(2);
  const closed = sockets.map((socket) => once(socket, 'close'));
  proxy.cut();
  await Promise.all(closed);
  expect(proxy.connections).toBe(0);
  const again = await client(proxy);
  again.end('again');
  expect(await read(again)).toBe('again');
});

test('closes the client’s connection when the target cannot be reached', async () => {
  const socket = connect((await proxyTo('tcp://127.0.0.1:1')).port, '127.0.0.1');
  await once(socket, 'close');
});

test('refuses new connections and keeps the open ones', async () => {
  const proxy = await proxyTo(await echo());
  const open = await client(proxy);
  open.write('x');
  await read(open, 1);
  proxy.refuse();
  await expect(client(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  open.end('open');
  expect(await read(open)).toBe('open');
  await proxy.accept();
  const later = await client(proxy);
  later.end('later');
  expect(await read(later)).toBe('later');
});

test('moves new connections to another target', async () => {
  const proxy = await proxyTo(await echo('one'));
  const first = await client(proxy);
  expect(await read(first, 3)).toBe('one');
  proxy.setTarget(await echo('two'));
  expect(await read(await client(proxy), 3)).toBe('two');
  first.end('x');
  expect(await read(first)).toBe('x');
});

test('lets open connections fall silent, so that nothing arrives at either side, and takes new ones', async () => {
  const arrived: string[] = [];
  const ended: string[] = [];
  const target = createServer((socket) => {
    closers.push(() => void socket.destroy());
    socket.on('data', (bytes) => {
      arrived.push(`${bytes}`);
      socket.write('answer');
    });
    socket.on('end', () => ended.push('end'));
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  closers.push(() => void target.close());
  const proxy = await proxyTo(`tcp://127.0.0.1:${(target.address() as AddressInfo).port}`);
  const silent = await client(proxy);
  silent.write('before');
  expect(await read(silent, 6)).toBe('answer');
  proxy.stall();
  const received: unknown[] = [];
  silent.on('data', (bytes) => received.push(bytes));
  // More than the buffers of both ends hold: all of it is taken.
  await new Promise((resolve) => silent.write(Buffer.alloc(20_000_000), resolve));
  silent.end();

  const fresh = await client(proxy);
  fresh.write('new');
  expect(await read(fresh, 6)).toBe('answer');
  expect(arrived).toEqual(['before', 'new']);
  expect([received, ended]).toEqual([[], []]);
});
