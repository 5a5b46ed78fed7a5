import { deployScaled, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { createPeople } from '../acceptance/people.js';
import { type RoundRobin, startRoundRobin } from './round-robin.js';

describeScaled('an edge without stickiness', () => {
  const internal = { INTERNAL_PORT: '0', INTERNAL_HOST: '127.0.0.1', INTERNAL_ADDRESS: '127.0.0.1' };
  const deployment = useDeployment(() => deployScaled(internal));
  const person = createPeople();
  let edge: RoundRobin;
  beforeEach(async () => {
    edge = await startRoundRobin(deployment().realtimes);
  });
  afterEach(() => edge.close());

  test.each([[['polling']], [['polling', 'websocket']], [['websocket']]])(
    'serves clients over %j',
    async (transports) => {
      const [alice, bob] = [person(), person()];
      const sockets = await Promise.all([alice, bob, alice, bob].map((who) => who.connect(edge.url, { transports })));
      const [, hers, , his] = sockets;
      const pushed = await his?.join('inbox');
      for (let i = 0; i < 10; i++) {
        const messageId = `${transports} ${i}`;
        const ack = await sockets[0]?.send(bob.key, 'inbox', messageId, 'x'.repeat(1_000));
        expect(ack).toEqual({ status: 'success', messageId });
        expect(await pushed?.waitFor((push) => push.messageId === messageId)).toMatchObject({ sender: alice.key });
      }
      expect(hers?.client.connected).toBe(true);
      // Every instance got requests, so some were for connections of the other.
      expect(Math.min(...edge.counts)).toBeGreaterThan(0);
    },
  );

  test('a session id of no instance, or with an address, is unknown', async () => {
    for (const sid of ['AAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBB', '127.0.0.1:1.x', 'x', '..', 'http://127.0.0.1/.x']) {
      const response = await fetch(`${edge.url}/socket.io/?EIO=4&transport=polling&sid=${encodeURIComponent(sid)}`);
      expect([response.status, await response.json()]).toEqual([400, { code: 1, message: 'Session ID unknown' }]);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
    }
  });

  test('a client of a stopped instance connects to another', async () => {
    const alice = person();
    const socket = await alice.connect(edge.url, { transports: ['polling'], reconnectionDelay: 50 });
    const { realtimes } = deployment().processes;
    const prefix = socket.io.io.engine.id?.split('.')[0];
    const owner = realtimes.findIndex((service) =>
      service.logs.some((line) => line.includes(`"instance":"${prefix}"`)),
    );
    const [gone, other] = owner === 0 ? [realtimes[0], realtimes[1]] : [realtimes[1], realtimes[0]];
    expect(owner).not.toBe(-1);
    const back = socket.events('connect').waitForNext();
    edge.remove(gone.url);
    await gone.kill();
    await back;
    expect(socket.io.io.engine.id?.split('.')[0]).not.toBe(prefix);
    await socket.authenticate();
    expect(other.url).toBe(deployment().realtimes[owner === 0 ? 1 : 0]);
  });
});
