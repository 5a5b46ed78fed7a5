import { EventEmitter, once } from 'node:events';
import { OverloadedError } from '@messagebox/web';
import type { Response } from 'express';
import { answerJson } from '../src/http/answer-json.js';
import { Answers } from '../src/http/answers.js';

/** As much of a response as is needed. Nobody takes its answer before it is told so. */
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

const limits = { atOnce: 2, heldBytes: 1_000, takenWithinMs: 60_000, bytesOfOne: 100 };
const charged: [string, number][] = [];
const charge = async (...charge: [string, number]) => void charged.push(charge);

function start(changed: Partial<typeof limits> = {}) {
  const answers = new Answers({ ...limits, ...changed }, { charge, check: async () => {} });
  const send = (client: Client, make: () => Promise<Buffer>) =>
    answers.send(client as unknown as Response, 'somebody', 'text/plain', make);
  return { send, large: (client: Client) => send(client, async () => Buffer.alloc(600)) };
}

describe('answers', () => {
  test('so many are put together at a time, and none for who has gone', async () => {
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

  test('none while too much waits to be taken', async () => {
    const { large } = start();
    const clients = [new Client(), new Client()];
    for (const client of clients) await large(client);
    await expect(large(new Client())).rejects.toThrow(OverloadedError);
    clients[0]?.take();
    await large(new Client());
    await expect(large(new Client())).rejects.toThrow(OverloadedError);
  });

  test('what is not taken in time is given up', async () => {
    const { large } = start({ takenWithinMs: 5, heldBytes: 500 });
    const slow = new Client();
    await large(slow);
    await expect(large(new Client())).rejects.toThrow(OverloadedError);
    if (!slow.destroyed) await once(slow, 'close');
    await large(new Client());
  });

  test('are charged by their size', async () => {
    charged.length = 0;
    const { large, send } = start();
    await large(new Client());
    await send(new Client(), async () => Buffer.alloc(99));
    expect(charged).toEqual([
      ['somebody', 6],
      ['somebody', 0],
    ]);
  });

  test('one that can not be made holds up no other', async () => {
    const { send, large } = start({ atOnce: 1 });
    await expect(send(new Client(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await large(new Client());
  });
});

test('the JSON of an answer is what JSON.stringify would write', () => {
  const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const beefs of [[], [everyByte], [Buffer.of(0), Buffer.of(255), Buffer.of(7, 42, 199)], [Buffer.alloc(0)]]) {
    const outputs = beefs.map((beef, outputIndex) => ({ beef, outputIndex }));
    const plain = outputs.map(({ beef, outputIndex }) => ({ beef: [...beef], outputIndex }));
    expect(answerJson(outputs).toString()).toBe(JSON.stringify({ type: 'output-list', outputs: plain }));
  }
});
