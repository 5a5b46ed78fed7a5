// The overlay's process, by the build, that can be made to end as by `kill -9` in the middle of a job: at the step whose
// name stands in the file KILL_AT. Who comes first takes the file away. Lost workers are noticed soon.
import { readFileSync, unlinkSync } from 'node:fs';
import { Overlay } from '@messagebox/overlay';
import { JsonServer, openFoundation, openOverlayJobs, runService } from '@messagebox/shared';
import { openMoney } from '@messagebox/wallet';

await runService('overlay', async (config, log, env) => {
  const foundation = await openFoundation(config, log, { service: 'overlay' });
  const { closing } = foundation;
  const money = openMoney(foundation);
  const jobs = openOverlayJobs({ ...foundation, times: { lockMs: 1_500, stalledCheckMs: 500 } });
  const overlay = new Overlay({ ...foundation, money, jobs, onStep: (step) => endAt(env.KILL_AT, step) });
  closing.add('overlay', () => overlay.close());
  closing.add('jobs', () => jobs.close());
  const server = new JsonServer(overlay.app(), log);
  closing.add('listener', () => server.close(500));
  const url = await server.listen(0, '127.0.0.1');
  await overlay.start();
  log.info({ url }, 'listening');
  return { url, close: () => closing.close() };
});

async function endAt(file, step) {
  try {
    if (readFileSync(file, 'utf8') !== step) return;
    unlinkSync(file);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return;
  }
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
}
