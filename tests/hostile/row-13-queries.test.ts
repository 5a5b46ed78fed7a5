import { Realtime } from '@messagebox/realtime';
import { HttpTestBed } from '../bad-input/refusals.ts';

/** Every new connection passes the admission, whatever its query says. */
let world: HttpTestBed;
let realtime: Realtime;
beforeAll(async () => {
  const attach = Realtime.prototype.attach;
  Realtime.prototype.attach = function (this: Realtime, ...args: Parameters<typeof attach>) {
    realtime = this;
    attach.apply(this, args);
  };
  world = await HttpTestBed.start();
  Realtime.prototype.attach = attach;
});
afterAll(() => world.close());

const base = '/socket.io/?EIO=4&transport=polling';

test('an instance that stops takes no new connection, whatever the query says', async () => {
  const queries = ['', '&sid=', '&sid', '&sid=&sid=', '&sid=AAAAAAAAAAAA.x&sid=', '&SID=', '&sid[]=', '&sid=&x=1'];
  expect((await open('')).status).toBe(200);
  await realtime.drain();
  for (const query of queries) {
    const { status, text } = await open(query);
    expect({ query, opened: text.includes('"sid":'), refused: status >= 400 }).toEqual({
      query,
      opened: false,
      refused: true,
    });
  }
});

function open(query: string) {
  return world.send({ method: 'GET', path: `${base}${query}`, headers: [] });
}
