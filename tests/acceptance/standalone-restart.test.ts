import { randomUUID } from 'node:crypto';
import { deployStandalone, useDeployment } from './deployments.js';
import { openFrontDoor } from './front-door.js';
import { createPeople } from './people.js';

describe('a standalone server that is started again', () => {
  const at = useDeployment(() => deployStandalone());
  const someone = createPeople();

  test('serves the sessions from before without a new handshake', async () => {
    const [alice, bob] = [someone(), someone()];
    const door = await openFrontDoor(at().apis[0]);
    try {
      const send = async (messageId: string) => {
        const message = { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' };
        expect(await alice.send(door.url, message)).toMatchObject({ status: 200 });
      };
      const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
      await send(ids[0]);
      const [service] = at().processes.apis;
      for (const messageId of ids.slice(1)) {
        await service.kill();
        await service.restart({ samePort: true });
        await send(messageId);
      }
      expect(door.handshakes).toBe(1);
      expect(await bob.listIds(at().apis[0], 'inbox')).toEqual(ids);
    } finally {
      await door.close();
    }
  });
});
