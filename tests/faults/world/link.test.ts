import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Link } from './link.ts';

describe('a link', () => {
  let server: Server;
  let link: Link;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    // Says back what it hears.
    server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    link = await Link.open(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await link.close();
    server.close();
  });

  const open = async (): Promise<Socket> => {
    const { hostname, port } = new URL(link.url);
    const socket = connect({ host: hostname, port: Number(port) });
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  const say = async (socket: Socket, text: string): Promise<string> => {
    const heard = once(socket, 'data');
    socket.write(text);
    return String((await heard)[0]);
  };

  test('passes on what is said', async () => {
    expect(await say(await open(), 'hello')).toBe('hello');
  });

  test('in silence, open connections hear nothing and stay open, and new ones work', async () => {
    const old = await open();
    await say(old, 'hello');
    await link.silence();
    const heard: unknown[] = [];
    old.on('data', (data) => heard.push(data));
    old.on('close', () => heard.push('closed'));
    await new Promise((resolve) => old.write('are you there?', resolve));
    const next = await open();
    // Far more than what an answer on the old connection would need.
    for (let i = 0; i < 50; i++) expect(await say(next, `hello ${i}`)).toBe(`hello ${i}`);
    expect(heard).toEqual([]);
    expect(old.destroyed).toBe(false);
  });

  test('when it is disconnected, open connections end and new ones are refused, until it is connected', async () => {
    const old = await open();
    await say(old, 'hello');
    const closed = once(old, 'close');
    link.disconnect();
    await closed;
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await link.connect();
    expect(await say(await open(), 'hello')).toBe('hello');
  });
});
