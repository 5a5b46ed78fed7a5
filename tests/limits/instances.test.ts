import { deployed, scaled } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { until } from '../acceptance/history.js';
import { people } from '../acceptance/people.js';

/** So long a window that none ends during a test. */
const SENDS = 40;

describeScaled('an identity that goes from instance to instance', () => {
  const deployment = deployed(() => scaled({ RATE_SENDS_PER_IDENTITY: `${SENDS}/3600s` }));
  const person = people();
  let ids = 0;

  test('has one limit for what it sends, over HTTP and live', async () => {
    const [alice, bob] = [person(), person()];
    const { apis, realtimes } = deployment();
    const send = (api: string) =>
      alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId: `${++ids}`, body: 'hello' });
    for (let i = 0; i < SENDS - 4; i++) expect(await send(apis[0])).toMatchObject({ status: 200 });
    let sent = 0;
    // By itself the other would take as many again.
    await until('the other instance knows of it', async () => {
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
    await until('a realtime instance knows of it', async () => {
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
