import { MessageBoxClient } from '@bsv/message-box-client';
import { CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import type { MessageBoxServer } from '../../src/index.ts';

/** An identity with the client that apps use. */
export interface Person {
  /** 64 hex characters. */
  readonly privateKey: string;
  readonly key: string;
  readonly client: MessageBoxClient;
}

/** Creates a new identity, or the one of a private key, that uses a server. */
export function createPerson({ url }: Pick<MessageBoxServer, 'url'>, privateKey = PrivateKey.fromRandom()): Person {
  const client = new MessageBoxClient({
    host: url,
    walletClient: new CompletedProtoWallet(privateKey),
    networkPreset: 'local',
  });
  return { privateKey: privateKey.toHex(), key: privateKey.toPublicKey().toString(), client };
}

/** The bodies in a box of a person, decrypted. */
export async function listBodies({ client }: Person, { url }: MessageBoxServer): Promise<unknown[]> {
  const messages = await client.listMessages({ messageBox: 'inbox', host: url });
  return messages.map(({ body }) => body);
}
