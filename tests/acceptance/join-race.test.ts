import { randomUUID } from 'node:crypto';
import { getRedisUrl } from '@messagebox/test-support/with-redis';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { GENERATIONS } from './clients.js';
import { type Deployment, deployScaled, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import type { LiveSocket } from './live-socket.js';
import { createPeople, type Person } from './people.js';

const ROUNDS = 200;
/** This many rounds run at once, each in a room of its own. */
const LANES = 5;
/**
 * The clients alone sign and verify thousands of times, so it takes as long as the machine is slow: 10 s where two cores
 * are free, and 25 s beside three processes that never rest.
 */
const PATIENCE_MS = 180_000;

describeScaled('who has been told joinedRoom misses nothing', () => {
  describe('next to Redis', () => {
    const at = useDeployment(() => deployScaled());
    joinsAndSends(at);
  });

  describe('20 ms away from Redis', () => {
    let proxy: TcpProxy;
    beforeAll(async () => {
      proxy = await createTcpProxy({ target: getRedisUrl() });
      proxy.setDelay(20);
    });
    // Registered before the deployment's own, so it runs after it.
    afterAll(() => proxy.close());
    const at = useDeployment(() => deployScaled({}, { realtimes: [{ REDIS_URL: proxy.url }, {}] }));
    joinsAndSends(at);
  });
});

/** The listener is at the first realtime process; messages come through the others. */
function joinsAndSends(at: () => Deployment): void {
  describe.each(GENERATIONS)('%s', (_whose, clients) => {
    const someone = createPeople(clients);

    test(
      `${ROUNDS} times: joins, and is pushed what is sent at once through another process`,
      async () => {
        const [alice, bob] = [someone(), someone()];
        const listener = await bob.connect(at().realtimes[0]);
        const sender = await alice.connect(at().realtimes[1]);
        for (const api of at().apis) await alice.list(api, 'none');
        await Promise.all(
          Array.from({ length: LANES }, async (_, lane) => {
            for (let round = lane; round < ROUNDS; round += LANES)
              await joinAndSend(at(), round, listener, sender, alice);
          }),
        );
      },
      PATIENCE_MS,
    );
  });
}

async function joinAndSend(
  at: Deployment,
  round: number,
  listener: LiveSocket,
  sender: LiveSocket,
  alice: Person,
): Promise<void> {
  const box = `box ${round}`;
  // Now and then a room that was joined and left before, whose subscription is on its way out.
  if (round % 4 === 0) {
    await listener.join(box);
    listener.client.emit('leaveRoom', `${listener.key}-${box}`);
  }
  const inbox = await listener.join(box);
  const messageId = randomUUID();
  const recipient = listener.key;
  if (round % 2 === 0) {
    await sender.send(recipient, box, messageId, 'live');
  } else {
    const api = at.apis[round % 4 === 1 ? 0 : 1];
    await alice.send(api, { recipient, messageBox: box, messageId, body: 'over HTTP' });
  }
  await inbox.waitFor((push) => push.messageId === messageId);
}
