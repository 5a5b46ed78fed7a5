import { deployScaled, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { waitUntil } from '../acceptance/history.js';
import { createPeople } from '../acceptance/people.js';

/** A window so long that none ends during a test. */
const SENDS = 40;

describeScaled('an identity that goes from instance to instance', () => {
  const deployment = useDeployment(() => deployScaled({ RATE_SENDS_PER_IDENTITY: `${SENDS}/3600s` }));
  const person = createPeople();
  let ids = 0;

  test('has one limit for what it sends, over HTTP and live', async () => {
    const [alice, bob] = [person(), person()];
    const { apis, realtimes } = deployment();
    const send = (api: string) =>
      alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId: `${++ids}`, body: 'hello' });
    for (let i = 0; i < SENDS - 4; i++) expect(await send(apis[0])).toMatchObject({ status: 200 });
    let sent = 0;
    // Without sharing, the other instance would accept as many again.
    await waitUntil('the other instance knows of it', async () => {
      const { status, body } = await send(apis[1]);
      if (status === 200) {
        sent += 1;
        return false;
      }
      expect({ status, body }).toMatchObject({ status: 429, body: { code: 'ERR_TOO_MANY_REQUESTS' } });
      return true;
    });
    expect(sent).toBeLessThan(SENDS - 10);

    const socket = await alice.connect(realtimes[0]);
    await waitUntil('a realtime instance knows of it', async () => {
      const ack = await socket.send(bob.key, 'inbox', `${++ids}`, 'hello');
      return ack.status === 'error' && ack.code === 'ERR_TOO_MANY_REQUESTS';
    });
    // Everybody else goes on, at all of them.
    for (const api of apis) {
      const message = { recipient: alice.key, messageBox: 'inbox', messageId: `${++ids}`, body: 'hello' };
      expect(await bob.send(api, message)).toMatchObject({ status: 200 });
    }
  });
});
