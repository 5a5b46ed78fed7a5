import type { IncomingMessage } from 'node:http';
import { createRateLimit, TooManyRequestsError } from '@messagebox/shared';
import { Admission } from '../src/sockets/admission.js';

/** Creates a request from an address. */
const from = (remoteAddress: string) => ({ headers: {}, socket: { remoteAddress } }) as unknown as IncomingMessage;

function setUp(waitForTurn: (address: string, ms: number) => Promise<void>): Admission {
  const onHit = () => undefined;
  const newSockets = createRateLimit({ rate: { count: 1, seconds: 3_600 }, onHit });
  return new Admission({
    trustedProxies: 0,
    waitForTurn,
    newSockets,
    socketsPerAddress: 10,
    unprovenSockets: 10,
    onHit,
  });
}

test('new connections and later requests wait for the turn of their address', async () => {
  const turns: { address: string; ms: number }[] = [];
  const admission = setUp(async (address, ms) => void turns.push({ address, ms }));
  await admission.admit(from('192.0.2.1'));
  await admission.waitForTurn(from('192.0.2.2'));
  expect(turns.map(({ address }) => address)).toEqual(['192.0.2.1', '192.0.2.2']);
  for (const { ms } of turns) expect(ms).toBeGreaterThan(0);
});

test('refuses a connection or a request whose turn does not come', async () => {
  const admission = setUp(() => Promise.reject(new TooManyRequestsError(1)));
  await expect(admission.admit(from('192.0.2.1'))).rejects.toThrow(TooManyRequestsError);
  await expect(admission.waitForTurn(from('192.0.2.1'))).rejects.toThrow(TooManyRequestsError);
});

test('refuses an address that connects too often without waiting for its turn', async () => {
  const turns: string[] = [];
  const admission = setUp(async (address) => void turns.push(address));
  await admission.admit(from('192.0.2.1'));
  await expect(admission.admit(from('192.0.2.1'))).rejects.toThrow(TooManyRequestsError);
  expect(turns).toEqual(['192.0.2.1']);
});

test('many clients that are refused at once are refused over several turns of the event loop', async () => {
  const admission = setUp(() => Promise.reject(new TooManyRequestsError(1)));
  const refused: number[] = [];
  const clients = Array.from({ length: 20 }, (_, i) =>
    admission.waitToConnect({ request: from('192.0.2.1') }).catch(() => refused.push(i)),
  );
  const inTurns: number[] = [];
  while (refused.length < clients.length) {
    const before = refused.length;
    await new Promise((resolve) => setImmediate(resolve));
    inTurns.push(refused.length - before);
  }
  expect(Math.max(...inTurns)).toBeLessThan(10);
  expect(refused).toEqual(clients.map((_, i) => i));
});
