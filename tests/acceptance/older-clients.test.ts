import { randomUUID } from 'node:crypto';
import { PrivateKey, ProtoWallet } from '@bsv/sdk';
import { MessageBoxClient as ClientOf13 } from 'message-box-client-1.3.0';
import { MessageBoxClient as ClientOf14 } from 'message-box-client-1.4.5';
import { MessageBoxClient as ClientOf20 } from 'message-box-client-2.0.2';
import { type Deploy, deployScaled, deployStandalone, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { EventHistory } from './history.js';

/** The calls that all versions have in common. */
interface OlderClient {
  sendMessage(message: OlderMessage): Promise<{ status: string; messageId: string }>;
  sendLiveMessage(message: OlderMessage, host?: string): Promise<{ status: string; messageId: string }>;
  listMessages(query: { messageBox: string }): Promise<{ messageId: string; body: unknown; sender: string }[]>;
  acknowledgeMessage(acknowledgement: { messageIds: string[] }): Promise<string>;
  initializeConnection(host?: string): Promise<void>;
  listenForLiveMessages(listener: {
    messageBox: string;
    onMessage: (message: { messageId: string; body: unknown; sender: string }) => void;
    overrideHost?: string;
  }): Promise<void>;
  setMessageBoxPermission(permission: { messageBox: string; sender?: string; recipientFee: number }): Promise<void>;
  disconnectWebSocket(): Promise<void>;
}

interface OlderMessage {
  readonly recipient: string;
  readonly messageBox: string;
  readonly messageId?: string;
  readonly body: string | object;
}

type NewClient = new (options: { host: string; walletClient: ProtoWallet; networkPreset: 'local' }) => OlderClient;

const VERSIONS = [
  ['1.3.0', ClientOf13],
  ['1.4.5', ClientOf14],
  ['2.0.2', ClientOf20],
] as unknown as [string, NewClient][];

describe.each(VERSIONS)('message-box-client %s', (_version, Client) => {
  describe('with one process', () => suite(deployStandalone));
  describeScaled('with two api and two realtime processes', () => suite(deployScaled));

  function suite(deploy: Deploy): void {
    const at = useDeployment(() => deploy());
    const opened: OlderClient[] = [];
    afterEach(async () => {
      for (const client of opened.splice(0)) await client.disconnectWebSocket();
    });

    /** A new identity with its client, which sends to one of the apis. */
    function newPerson(api: string): { key: string; client: OlderClient } {
      const privateKey = PrivateKey.fromRandom();
      const walletClient = new ProtoWallet(privateKey);
      const client = new Client({ host: api, walletClient, networkPreset: 'local' });
      opened.push(client);
      return { key: privateKey.toPublicKey().toString(), client };
    }

    test('sends, lists and acknowledges encrypted messages', async () => {
      const [alice, bob] = [newPerson(at().apis[0]), newPerson(at().apis[1])];
      const body = { text: 'hello' };
      const { messageId } = await alice.client.sendMessage({ recipient: bob.key, messageBox: 'inbox', body });
      const [message, ...others] = await bob.client.listMessages({ messageBox: 'inbox' });
      expect(others).toEqual([]);
      expect(message).toMatchObject({ messageId, body, sender: alice.key });
      expect(await bob.client.acknowledgeMessage({ messageIds: [messageId] })).toBe('success');
      expect(await bob.client.listMessages({ messageBox: 'inbox' })).toEqual([]);
    });

    test('listens to what is sent live and over HTTP', async () => {
      const [alice, bob] = [newPerson(at().apis[0]), newPerson(at().apis[1])];
      const inbox = new EventHistory<{ messageId: string; body: unknown }>('live message');
      // Each takes these clients five seconds.
      await Promise.all([
        bob.client.initializeConnection(at().realtimes[0]),
        alice.client.initializeConnection(at().realtimes[1]),
      ]);
      await bob.client.listenForLiveMessages({
        messageBox: 'inbox',
        onMessage: inbox.add,
        overrideHost: at().realtimes[0],
      });
      // The client does not say when it has joined, but a message that it sends itself is acknowledged after that.
      const own = await bob.client.sendLiveMessage({ recipient: bob.key, messageBox: 'inbox', body: 'to myself' });
      await inbox.waitFor(({ messageId }) => messageId === own.messageId);

      const live = await alice.client.sendLiveMessage({ recipient: bob.key, messageBox: 'inbox', body: 'live' });
      expect(await inbox.waitFor(({ messageId }) => messageId === live.messageId)).toMatchObject({ body: 'live' });
      const http = await alice.client.sendMessage({ recipient: bob.key, messageBox: 'inbox', body: 'HTTP' });
      expect(await inbox.waitFor(({ messageId }) => messageId === http.messageId)).toMatchObject({ body: 'HTTP' });
      const listed = await bob.client.listMessages({ messageBox: 'inbox' });
      expect(listed.map(({ messageId }) => messageId).sort()).toEqual(
        [own.messageId, live.messageId, http.messageId].sort(),
      );
    });

    test('blocks a sender', async () => {
      const [alice, bob] = [newPerson(at().apis[0]), newPerson(at().apis[1])];
      await bob.client.setMessageBoxPermission({ messageBox: 'inbox', sender: alice.key, recipientFee: -1 });
      const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'hello' };
      await expect(alice.client.sendMessage(message)).rejects.toThrow();
      expect(await bob.client.listMessages({ messageBox: 'inbox' })).toEqual([]);
    });
  }
});
