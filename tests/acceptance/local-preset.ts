import { Agent, buildConnector, type Dispatcher } from 'undici';

/** The address that `networkPreset: 'local'` of the SDK and of the real client uses for lookups and submissions. */
const PRESET = { hostname: 'localhost', port: '8080' };
/** The global symbol under which Node's `fetch` finds the dispatcher of its connections. */
const DISPATCHER = Symbol.for('undici.globalDispatcher.1');

/**
 * Leads what this process asks of http://localhost:8080 to another address, so that unmodified clients with the local
 * preset can be tested against servers on any port, several at once.
 *
 * @returns ends it
 */
export function redirectLocalPreset(url: string): () => Promise<void> {
  const target = new URL(url);
  const connect = buildConnector({});
  const agent = new Agent({
    connect: (options, done) => {
      const isPreset = options.hostname === PRESET.hostname && options.port === PRESET.port;
      connect(isPreset ? { ...options, hostname: target.hostname, port: target.port } : options, done);
    },
  });
  // Node's own: the global object of a test is another one than that of Node's functions.
  const realm = fetch.constructor('return globalThis')() as Record<symbol, Dispatcher | undefined>;
  const before = realm[DISPATCHER];
  realm[DISPATCHER] = agent;
  return async () => {
    realm[DISPATCHER] = before;
    await agent.close();
  };
}
