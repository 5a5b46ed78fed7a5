import { getVapidSubject } from '@messagebox/shared';
import { type Check, notApplicable, ok, warn } from '../check.js';

/** Whether push services can be told whose server pushes to browsers. Keys that are wrong are faults of the configuration. */
export const webPush: Check = {
  name: 'web push',
  run: async ({ config }) => {
    if (config.webPush === undefined) {
      return notApplicable('VAPID_PUBLIC_KEY is not set: only standalone makes keys of its own');
    }
    const subject = getVapidSubject(config);
    if (subject.endsWith('.invalid')) {
      return warn(
        'push services are given no address of the operator, so that Apple refuses pushes',
        'Set VAPID_SUBJECT to a mailto: address or an https: URL of yours.',
      );
    }
    const keys = config.webPush.privateKey === undefined ? 'the public key' : 'a pair of keys';
    return ok(`${keys}, as ${subject}`);
  },
};
