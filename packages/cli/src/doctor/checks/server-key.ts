import { type Check, fail, ok, warn } from '../check.js';
import { isPrivateKey } from '../probes/server-identity.js';

const HOW = 'Make one with "openssl rand -hex 32", set SERVER_PRIVATE_KEY to it on all instances, and keep it safe.';

/** Whether the server has a key, so that its identity stays the same. */
export const serverKey: Check = {
  name: 'server key',
  run: async ({ config, serverIdentity }) => {
    const { serverPrivateKey, nodeEnv, redis, store } = config;
    if (serverPrivateKey !== undefined) {
      if (!isPrivateKey(serverPrivateKey)) return fail('SERVER_PRIVATE_KEY is no private key of the curve', HOW);
      return ok(`identity ${await serverIdentity}`);
    }
    if (nodeEnv === 'production') {
      return fail('SERVER_PRIVATE_KEY is missing: with NODE_ENV=production no server starts without it', HOW);
    }
    if (redis !== undefined && store?.client === 'mysql2') {
      return warn(
        'SERVER_PRIVATE_KEY is missing: only standalone makes a key of its own, other services do not start',
        HOW,
      );
    }
    const identity = await serverIdentity;
    return ok(identity === undefined ? 'standalone makes one at its first start' : `identity ${identity}, in DATA_DIR`);
  },
};
