import { type Check, fail, notApplicable, ok } from '../check.js';
import { resultOf } from '../context.js';

/** New connections, so that an edge has the chance to choose each of a few instances. */
const ROUNDS = 6;

/** Whether all instances behind the origin have the same secrets and the same database. */
export const instances: Check = {
  name: 'instances',
  run: async ({ origin }) => {
    const first = await resultOf(origin.handshake, 'the origin');
    if (first.kind !== 'session') return notApplicable('there is no handshake');
    const others = await Promise.all(Array.from({ length: ROUNDS }, () => resultOf(origin.shakeHands(), 'the origin')));
    const keys = new Set(
      [first, ...others].flatMap((outcome) => (outcome.kind === 'session' ? [outcome.session.serverKey] : [])),
    );
    if (keys.size > 1) {
      return fail(
        `they have ${keys.size} different identities: ${[...keys].join(', ')}`,
        'Set the same SERVER_PRIVATE_KEY on all instances.',
      );
    }
    const answers = await Promise.all(Array.from({ length: ROUNDS }, () => resultOf(origin.sendAgain(), 'the origin')));
    if (
      answers.some(
        (answer) => answer?.kind === 'unsigned' && answer.status === 401 && /^Session not found/.test(answer.text),
      )
    ) {
      return fail(
        'a session of one instance is unknown to another',
        'Set the same SERVER_PRIVATE_KEY, SESSION_SECRETS and database on all instances, and check their clocks.',
      );
    }
    if (!answers.every((answer) => answer?.kind === 'verified')) return notApplicable('signed requests are refused');
    return ok(`${ROUNDS + 1} connections met one identity, and sessions hold`);
  },
};
