import { deployStandalone, useDeployment } from './deployments.js';
import { Person } from './people.js';

describe('a server on a public network without a wallet', () => {
  const at = useDeployment(() => deployStandalone({ NETWORK: 'test' }));

  it('charges nothing for deliveries that it could not take, and delivers', async () => {
    const [alice, bob] = [new Person(), new Person()];
    const api = at().apis[0];
    const free = { messageBox: 'notifications', recipientFee: 0 };
    expect((await bob.post(`${api}/permissions/set`, free)).status).toBe(200);
    const quote = await alice.get(`${api}/permissions/quote?recipient=${bob.key}&messageBox=notifications`);
    expect(quote.body).toMatchObject({ quote: { deliveryFee: 0, recipientFee: 0 } });
    const message = { recipient: bob.key, messageBox: 'notifications', messageId: 'one', body: 'hello' };
    expect((await alice.send(api, message)).status).toBe(200);
    expect((await bob.page(api, 'notifications')).messages).toMatchObject([{ messageId: 'one' }]);
  });
});
