// The honest client in a process of its own, so that its times are not those of an attacker at work.
import { answerJudge, type Note, tellJudge } from './child.ts';
import { HonestClient } from './honest/honest-client.ts';
import type { Target } from './wire/endpoint.ts';

let honest: HonestClient | undefined;

answerJudge(async ({ type, value }: Note) => {
  if (type === 'open') {
    const { target, warmUpMs } = value as { target: Target; warmUpMs: number };
    honest = new HonestClient(target);
    await honest.open();
    await honest.warmUp(warmUpMs);
    honest.work();
    tellJudge('ready');
  }
  if (type === 'stop') tellJudge('samples', await honest?.stop());
});
