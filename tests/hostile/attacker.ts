// The process of one attack. It runs with less of the processor than the server and the honest client: what is judged is
// the server, not the machine that all of them share.
import { constants, getPriority, setPriority } from 'node:os';
import { AttackContext, type Shape } from './attacks/attack.ts';
import { attacks } from './attacks/index.ts';
import { answerJudge, type Note, tellJudge } from './child.ts';
import type { Target } from './wire/endpoint.ts';

/** What the judge sends first. */
export interface AttackOrder {
  readonly name: string;
  readonly shape: Shape;
  readonly target: Target;
}

// In relation to them, whose priority the caller may have raised on a machine with other work to do.
setPriority(Math.min(constants.priority.PRIORITY_LOW, getPriority() + constants.priority.PRIORITY_BELOW_NORMAL));

let begin: () => void = () => undefined;
const begun = new Promise<void>((resolve) => {
  begin = resolve;
});
let end: () => void = () => undefined;
const ended = new Promise<void>((resolve) => {
  end = resolve;
});

answerJudge(async ({ type, value }: Note) => {
  if (type === 'begin') begin();
  if (type === 'end') end();
  if (type !== 'prepare') return;
  const { name, shape, target } = value as AttackOrder;
  const attack = attacks.find((one) => one.name === name);
  if (attack === undefined) throw new Error(`There is no attack ${name}`);
  const ready = async () => {
    tellJudge('ready');
    await begun;
  };
  await attack.run(new AttackContext(target, shape, ready, ended));
});
