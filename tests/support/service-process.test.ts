import { type ServiceProcess, startService } from './service-process.js';

const script = 'tests/support/fixtures/service.mjs';
const started: ServiceProcess[] = [];
afterEach(async () => {
  for (const service of started.splice(0)) await service.kill();
});

async function start(env: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await startService({ name: 'dummy', script, env });
  started.push(service);
  return service;
}

test('gives the service an environment of its own and waits until it listens', async () => {
  process.env['LEAKS'] = 'yes';
  const service = await start({ GIVEN: 'yes' });
  expect(service.listening['internalPort']).toBe(1);
  expect(new URL(service.url).port).toBe(String(service.port));
  const env = (await (await fetch(service.url)).json()) as Record<string, string>;
  expect(env).toMatchObject({ GIVEN: 'yes', PORT: String(service.port) });
  expect(env).not.toHaveProperty('LEAKS');
  expect(env).not.toHaveProperty('NODE_ENV');
});

test('stops a service in order and returns its exit code', async () => {
  const service = await start({ EXIT: '3' });
  expect(await service.stop()).toBe(3);
  expect(await service.exited).toEqual({ code: 3, signal: null });
  expect(await service.waitForLog('draining')).toBe('draining');
  expect(await service.stop()).toBe(3);
});

test('kills a service', async () => {
  const service = await start();
  await service.kill();
  expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('restarts a service, on the same port if asked to', async () => {
  const service = await start();
  const { port, pid } = service;
  await service.kill();
  await service.restart({ samePort: true });
  expect(service.port).toBe(port);
  expect(service.pid).not.toBe(pid);
  expect((await fetch(service.url)).status).toBe(200);
});

test('a service that does not start is an error with its output', async () => {
  await expect(start({ FAIL: 'no database' })).rejects.toThrow(/ended \(7\).*no database/s);
});
