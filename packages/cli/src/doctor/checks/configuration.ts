import { type Check, fail, ok } from '../check.js';

/** Whether the servers can read their environment. */
export const configuration: Check = {
  name: 'configuration',
  run: ({ configuration }) => {
    if ('error' in configuration) {
      return fail(
        configuration.error.message,
        'Correct these variables: docs/configuration.md describes each of them.',
      );
    }
    const { nodeEnv, network, store, redis } = configuration.config;
    const database = store?.client === 'mysql2' ? 'MySQL or MariaDB' : 'SQLite';
    return ok(`${nodeEnv}, network ${network}, ${database}, ${redis === undefined ? 'without' : 'with'} Redis`);
  },
};
