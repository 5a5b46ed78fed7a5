import { randomBytes } from 'node:crypto';
import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';
import { upgrade } from '../origin/exchange.js';
import { TimeLimitError } from '../time-limit.js';

const ADVICE =
  'Let the edge pass on the headers Upgrade and Connection of /socket.io/ (nginx: proxy_http_version 1.1). Until then clients use long polling.';

/** Whether the edge lets a websocket through. */
export const websocket: Check = {
  name: 'websocket',
  run: async ({ origin, config }) => {
    if (!config.websockets) return notApplicable('ENABLE_WEBSOCKETS is false');
    const handshake = await resultOf(origin.handshake, 'the origin');
    if (handshake.kind !== 'session') return notApplicable('there is no handshake');
    try {
      const outcome = await upgrade(
        {
          method: 'GET',
          url: `${origin.origin}/socket.io/?EIO=4&transport=websocket`,
          headers: {
            connection: 'Upgrade',
            upgrade: 'websocket',
            'sec-websocket-version': '13',
            'sec-websocket-key': randomBytes(16).toString('base64'),
          },
        },
        origin.limitMs,
      );
      if ('status' in outcome) return fail(`the upgrade is answered with HTTP ${outcome.status}`, ADVICE);
      if (outcome.firstFrame.startsWith('0{')) return ok('opens');
      return fail('it opens, but socket.io does not answer', 'Pass /socket.io/ on to realtime.');
    } catch (error) {
      const reason = error instanceof TimeLimitError ? error.message : 'the connection is cut';
      return fail(`the upgrade fails: ${reason}`, ADVICE);
    }
  },
};
