// The honest client in a process of its own, so that its times are not those of an attacker at work.
import { answerJudge, type ChildMessage, sendToJudge } from './child.ts';
import { HonestClient } from './honest/honest-client.ts';
import type { Target } from './wire/endpoint.ts';

let honest: HonestClient | undefined;

answerJudge(async ({ type, value }: ChildMessage) => {
  if (type === 'open') {
    const { target, warmUpMs } = value as { target: Target; warmUpMs: number };
    honest = new HonestClient(target);
    await honest.open();
    await honest.warmUp(warmUpMs);
    honest.work();
    sendToJudge('ready');
  }
  if (type === 'stop') sendToJudge('samples', await honest?.stop());
});
