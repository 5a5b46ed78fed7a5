import { EventEmitter, once } from 'node:events';
import { OverloadedError } from '@messagebox/shared';
import type { Response } from 'express';
import { BoundedResponder } from '../src/http/bounded-responder.js';
import { serializeLookupJson } from '../src/http/serialize-lookup-json.js';

/** A minimal response. It receives its answer only when `take` is called. */
class Client extends EventEmitter {
  destroyed = false;
  body: Buffer | undefined;
  setHeader(): void {}
  end(body: Buffer): void {
    this.body = body;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
  take(): void {
    this.emit('close');
  }
}

const limits = { maxConcurrent: 2, maxHeldBytes: 1_000, receiveTimeoutMs: 60_000, bytesPerRequest: 100 };
const charged: [string, number][] = [];
const charge = async (...charge: [string, number]) => void charged.push(charge);

function start(changed: Partial<typeof limits> = {}) {
  const answers = new BoundedResponder({ ...limits, ...changed }, { charge, check: async () => {} });
  const send = (client: Client, make: () => Promise<Buffer>) =>
    answers.send(client as unknown as Response, 'somebody', 'text/plain', make);
  return { send, large: (client: Client) => send(client, async () => Buffer.alloc(600)) };
}

describe('the bounded responder', () => {
  test('makes 2 answers at a time, and none for a client that has disconnected', async () => {
    const { send } = start();
    let going = 0;
    let most = 0;
    const clients = Array.from({ length: 6 }, () => new Client());
    const sent = clients.map((client) =>
      send(client, async () => {
        going += 1;
        most = Math.max(most, going);
        await new Promise(setImmediate);
        going -= 1;
        return Buffer.alloc(1);
      }),
    );
    clients[5]?.destroy();
    await Promise.all(sent);
    expect(most).toBe(2);
    expect(clients.map(({ body }) => body?.length)).toEqual([1, 1, 1, 1, 1, undefined]);
  });

  test('makes no answer while too many bytes wait for slow clients', async () => {
    const { large } = start();
    const clients = [new Client(), new Client()];
    for (const client of clients) await large(client);
    await expect(large(new Client())).rejects.toThrow(OverloadedError);
    clients[0]?.take();
    await large(new Client());
    await expect(large(new Client())).rejects.toThrow(OverloadedError);
  });

  test('closes a connection whose client does not receive its answer in time', async () => {
    const { large } = start({ receiveTimeoutMs: 5, maxHeldBytes: 500 });
    const slow = new Client();
    await large(slow);
    await expect(large(new Client())).rejects.toThrow(OverloadedError);
    if (!slow.destroyed) await once(slow, 'close');
    await large(new Client());
  });

  test('charges for the size of an answer', async () => {
    charged.length = 0;
    const { large, send } = start();
    await large(new Client());
    await send(new Client(), async () => Buffer.alloc(99));
    expect(charged).toEqual([
      ['somebody', 6],
      ['somebody', 0],
    ]);
  });

  test('makes the next answer after one has failed', async () => {
    const { send, large } = start({ maxConcurrent: 1 });
    await expect(send(new Client(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await large(new Client());
  });
});

test('serializeLookupJson writes the same bytes as JSON.stringify', () => {
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const beefs of [[], [everyByte], [Buffer.of(0), Buffer.of(255), Buffer.of(7, 42, 199)], [Buffer.alloc(0)]]) {
    const outputs = beefs.map((beef, outputIndex) => ({ beef, outputIndex }));
    const plain = outputs.map(({ beef, outputIndex }) => ({ beef: [...beef], outputIndex }));
    expect(serializeLookupJson(outputs).toString()).toBe(JSON.stringify({ type: 'output-list', outputs: plain }));
  }
});
