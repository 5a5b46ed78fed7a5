import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import { type Deploy, useDeployment } from '../deployments.js';
import { createPeople } from '../people.js';

/** With ROUTING_PREFIX=/api the whole server is at `https://host/api`, but for the handshake. */
export function routingPrefixSuite(deploy: Deploy, clients: Clients = registryClients): void {
  describe('with ROUTING_PREFIX=/api', () => {
    const at = useDeployment(() => deploy({ ROUTING_PREFIX: '/api' }));
    const someone = createPeople(clients);
    const below = (url: string) => `${url}/api`;

    test('the real client sends, lists, listens and acknowledges at https://host/api', async () => {
      const [alice, bob] = [someone(), someone()];
      const apis = at().apis.map(below) as [string, string];
      const realtimes = at().realtimes.map(below) as [string, string];
      const app = alice.createApp(apis[0], realtimes[0]);
      const reader = bob.createApp(apis[1], realtimes[1]);
      const inbox = await reader.listen('inbox');
      const http = await app.send({ recipient: bob.key, messageBox: 'inbox', body: 'over HTTP' });
      const live = await app.sendLive({ recipient: bob.key, messageBox: 'inbox', body: 'live' });
      expect(await inbox.waitFor(({ messageId }) => messageId === http.messageId)).toMatchObject({ body: 'over HTTP' });
      expect(await inbox.waitFor(({ messageId }) => messageId === live.messageId)).toMatchObject({ body: 'live' });
      expect((await reader.list('inbox')).map(({ body }) => body)).toEqual(['over HTTP', 'live']);
      expect(await reader.acknowledge(http.messageId, live.messageId)).toBe('success');
      expect(await reader.list('inbox')).toEqual([]);
    });

    test('sockets work in the namespace /api and at the path /api/socket.io/, and hear each other', async () => {
      const [alice, bob] = [someone(), someone()];
      const { realtimes } = at();
      const namespace = (person: typeof bob, i: 0 | 1) => person.connect(below(realtimes[i]));
      const path = (person: typeof bob, i: 0 | 1) => person.connect(realtimes[i], { path: '/api/socket.io/' });
      const inboxes = [await (await namespace(bob, 0)).join('inbox'), await (await path(bob, 1)).join('inbox')];
      const senders = [await namespace(alice, 1), await path(alice, 0)];
      for (const sender of senders) {
        const messageId = randomUUID();
        expect(await sender.send(bob.key, 'inbox', messageId, 'live')).toEqual({ status: 'success', messageId });
        for (const inbox of inboxes) await inbox.waitFor((push) => push.messageId === messageId);
      }
      const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'over HTTP' };
      expect(await alice.send(below(at().apis[0]), message)).toMatchObject({ status: 200 });
      for (const inbox of inboxes) {
        await inbox.waitFor((push) => push.messageId === message.messageId);
        expect(inbox.all).toHaveLength(3);
      }
    });

    test('long polling below the prefix', async () => {
      const [alice, bob] = [someone(), someone()];
      const settings = { path: '/api/socket.io/', transports: ['polling'] };
      const inbox = await (await bob.connect(at().realtimes[0], settings)).join('inbox');
      const messageId = randomUUID();
      await (await alice.connect(at().realtimes[1], settings)).send(bob.key, 'inbox', messageId, 'hello');
      await inbox.waitFor((push) => push.messageId === messageId);
    });

    test('the handshake and health stay at the root, and the routes are nowhere else', async () => {
      const [api] = at().apis;
      expect((await fetch(`${api}/health/ready`)).status).toBe(200);
      expect((await fetch(`${api}/ready`)).status).toBe(200);
      expect((await fetch(`${api}/health`)).status).toBe(200);
      expect((await fetch(`${api}/info`)).status).toBe(404);
      expect(await (await fetch(`${below(api)}/info`)).json()).toMatchObject({
        websockets: { enabled: true, path: '/api/socket.io/' },
      });
      expect((await fetch(`${api}/.well-known/auth`, { method: 'POST', body: '{}' })).status).toBe(400);
      expect((await fetch(`${api}/listMessages`, { method: 'POST', body: '{}' })).status).toBe(404);
      expect((await fetch(`${below(api)}/listMessages`, { method: 'POST', body: '{}' })).status).toBe(401);
    });
  });
}
