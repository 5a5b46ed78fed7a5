import { AuthSocketClient } from '@bsv/authsocket-client';
import type { WalletInterface } from '@bsv/sdk';
import { AwaitableSocket, type SocketSettings, StrictSocketClient } from '@messagebox/test-kit';
import type { Socket } from 'socket.io-client';
import { type Clients, registryClients } from './clients.js';

export type { PushedEvent, SendAck, SocketSettings, WireEvent } from '@messagebox/test-kit';

/** An `AuthSocketClient`, the registry's or our strict one, with events that can be awaited. */
export class LiveSocket extends AwaitableSocket {
  constructor(
    url: string,
    wallet: WalletInterface,
    key: string,
    settings: SocketSettings = {},
    clients: Clients = registryClients,
  ) {
    if (clients.kind === 'strict') {
      const client = new StrictSocketClient(url, { wallet, settings: { ...clients.socket, ...settings } });
      super(client, client.io, key);
    } else {
      const client = AuthSocketClient(url, { wallet, managerOptions: { forceNew: true, ...settings } });
      super(client, (client as unknown as { ioSocket: Socket }).ioSocket, key);
    }
  }
}
