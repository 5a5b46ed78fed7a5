import { Redis } from 'ioredis';

/** An operator's own connection to Redis, beside the links of the services. */
export class RedisAdmin {
  /** @param url of the server itself */
  constructor(private readonly url: string) {}

  /** Runs one command. @throws {Error} when Redis refuses it or does not answer */
  async run(command: string, ...args: readonly (string | number)[]): Promise<unknown> {
    // One connection for each command: the server may be stopped and started meanwhile.
    const client = new Redis(this.url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on('error', () => undefined); // the command rejects with it
    try {
      await client.connect();
      return await client.call(command, ...args);
    } finally {
      client.disconnect();
    }
  }

  /** Ends the connections of this type, or all but the own one. */
  async killClients(type?: 'pubsub' | 'normal'): Promise<void> {
    await this.run('CLIENT', 'KILL', ...(type === undefined ? [] : ['TYPE', type]), 'SKIPME', 'yes');
  }

  /** CONFIG SET. */
  async configure(name: string, value: string): Promise<void> {
    await this.run('CONFIG', 'SET', name, value);
  }
}
