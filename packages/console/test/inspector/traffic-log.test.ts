import type { HttpExchange } from '../../app/src/inspector/observe/traffic.js';
import { TrafficLog } from '../../app/src/inspector/observe/traffic-log.js';
import { WalletLog } from '../../app/src/inspector/observe/wallet-log.js';

function createExchange(id: number, bodyBytes = 0): HttpExchange {
  return {
    kind: 'http',
    id,
    via: 'fetch',
    at: 0,
    method: 'GET',
    url: 'http://host/',
    requestHeaders: [],
    requestBody: { bytes: new Uint8Array(bodyBytes), totalBytes: bodyBytes },
    answer: undefined,
    failure: undefined,
  };
}

const listIds = (log: TrafficLog) => log.records.map(({ id }) => id);

describe('the log of the traffic', () => {
  it('lets the oldest record go when there are too many', () => {
    const log = new TrafficLog({ maxRecords: 2 });
    for (const id of [1, 2, 3]) log.add(createExchange(id));
    expect(listIds(log)).toEqual([2, 3]);
    expect(log.dropped).toBe(1);
  });

  it('lets the oldest records go when they are too large', () => {
    const log = new TrafficLog({ maxBytes: 10_000 });
    for (const id of [1, 2, 3]) log.add(createExchange(id, 4_000));
    expect(listIds(log)).toEqual([2, 3]);
    expect(log.bytes).toBeLessThanOrEqual(10_000);
  });

  it('counts a body that arrives later', () => {
    const log = new TrafficLog({ maxBytes: 10_000 });
    const first = createExchange(1);
    const second = createExchange(2);
    log.add(first);
    log.add(second);
    second.requestBody = { bytes: new Uint8Array(9_500), totalBytes: 9_500 };
    log.change(second);
    expect(listIds(log)).toEqual([]);
    expect(log.bytes).toBe(0);
  });

  it('counts nothing any more after it was cleared', () => {
    const log = new TrafficLog();
    const exchange = createExchange(1, 100);
    log.add(exchange);
    log.clear();
    log.change(exchange);
    expect(log.bytes).toBe(0);
    expect(log.records).toEqual([]);
  });

  it('records nothing new while it is paused', () => {
    const log = new TrafficLog();
    log.setPaused(true);
    log.add(createExchange(1));
    log.setPaused(false);
    log.add(createExchange(2));
    expect(listIds(log)).toEqual([2]);
  });

  it('survives a listener that throws, and tells the next one', () => {
    const log = new TrafficLog();
    const calls: string[] = [];
    log.subscribe(() => {
      throw new Error('broken view');
    });
    const end = log.subscribe(() => calls.push('told'));
    log.add(createExchange(1));
    end();
    log.add(createExchange(2));
    expect(calls).toEqual(['told']);
  });
});

describe('the log of the wallet', () => {
  const createCall = (bytes: number[], inputBytes = 0) => ({
    method: 'createSignature' as const,
    at: 0,
    identityKey: undefined,
    protocolID: undefined,
    keyID: undefined,
    counterparty: undefined,
    input: { bytes: new Uint8Array(inputBytes), totalBytes: inputBytes },
    output: { bytes: Uint8Array.from(bytes), totalBytes: bytes.length },
    publicKey: undefined,
    valid: undefined,
    error: undefined,
  });

  it('finds calls by method and bytes', () => {
    const log = new WalletLog();
    log.add(createCall([1]));
    log.add(createCall([2]));
    expect(log.find('createSignature', Uint8Array.of(2)).map(({ id }) => id)).toEqual([2]);
    expect(log.find('verifySignature', Uint8Array.of(2))).toEqual([]);
  });

  it('forgets the oldest call, and does not find it any more', () => {
    const log = new WalletLog({ maxCalls: 1 });
    log.add(createCall([1]));
    log.add(createCall([2]));
    expect(log.find('createSignature', Uint8Array.of(1))).toEqual([]);
    expect(log.calls).toHaveLength(1);
  });

  it('forgets calls that are too large', () => {
    const log = new WalletLog({ maxBytes: 5_000 });
    log.add(createCall([1], 4_000));
    log.add(createCall([2], 4_000));
    expect(log.calls.map(({ id }) => id)).toEqual([2]);
  });
});
