// The process of one attack. It runs with less of the processor than the server and the honest client: what is judged is
// the server, not the machine that all of them share.
import { constants, getPriority, setPriority } from 'node:os';
import { AttackContext, type AttackShape } from './attacks/attack.ts';
import { attacks } from './attacks/index.ts';
import { answerJudge, type ChildMessage, sendToJudge } from './child.ts';
import type { Target } from './wire/endpoint.ts';

/** The first message of the judge. */
export interface AttackOrder {
  readonly name: string;
  readonly shape: AttackShape;
  readonly target: Target;
}

// In relation to them, whose priority the caller may have raised on a machine with other work to do.
setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + constants.priority.PRIORITY_BELOW_NORMAL));

let markBegun: () => void = () => undefined;
const begun = new Promise<void>((resolve) => {
  markBegun = resolve;
});
let markEnded: () => void = () => undefined;
const ended = new Promise<void>((resolve) => {
  markEnded = resolve;
});

answerJudge(async ({ type, value }: ChildMessage) => {
  if (type === 'begin') markBegun();
  if (type === 'end') markEnded();
  if (type !== 'prepare') return;
  const { name, shape, target } = value as AttackOrder;
  const attack = attacks.find((one) => one.name === name);
  if (attack === undefined) throw new Error(`There is no attack ${name}`);
  const ready = async () => {
    sendToJudge('ready');
    await begun;
  };
  await attack.run(new AttackContext(target, shape, ready, ended));
});
