import { type Check, fail, notApplicable, ok } from '../check.js';
import { ProbeError } from '../errors.js';
import { withTimeLimit } from '../time-limit.js';

/** Whether the service account of Firebase can be read, and its token endpoint issues a token for it. */
export const pushCredentials: Check = {
  name: 'push credentials',
  run: async ({ config, limitMs }) => {
    const { push } = config;
    if (push === undefined) return notApplicable('ENABLE_FIREBASE is not true');
    const { AccessTokens, CredentialsError, readFirebaseProject } = await import('@messagebox/realtime');
    const { projectId, account } = await readFirebaseProject(push).catch((error: Error) => {
      throw new ProbeError(
        error.message,
        'Use the key file of a service account, as the console of Firebase gives it.',
      );
    });
    try {
      await withTimeLimit(limitMs, () => new AccessTokens(account).get());
      return ok(`${account.email} got a token, project ${projectId}`);
    } catch (error) {
      const host = new URL(account.tokenUri).host;
      if (error instanceof CredentialsError) {
        return fail(error.message, 'Make a new key for the service account, and check the clock of this host.');
      }
      return fail(
        `${host} gave no token: ${error instanceof Error ? error.message : error}`,
        `Allow requests to ${host}.`,
      );
    }
  },
};
