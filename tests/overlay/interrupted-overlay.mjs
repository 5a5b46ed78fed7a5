// The overlay's process, from the build. It can be made to end during a job as by `kill -9`: at the step whose name is in
// the file KILL_AT. The first process that reaches the step removes the file. Lost workers are detected soon.
import { readFileSync, unlinkSync } from 'node:fs';
import { Overlay } from '@messagebox/overlay';
import { createServiceContext, JsonServer, openOverlayJobQueue, runService } from '@messagebox/shared';
import { createBsvServices } from '@messagebox/wallet';

await runService('overlay', async (config, log, env) => {
  const foundation = await createServiceContext(config, log, { service: 'overlay' });
  const { shutdown } = foundation;
  const bsv = createBsvServices(foundation);
  const jobs = openOverlayJobQueue({ ...foundation, times: { lockMs: 1_500, stalledCheckIntervalMs: 500 } });
  const overlay = new Overlay({ ...foundation, bsv, jobs, onStep: (step) => endAt(env.KILL_AT, step) });
  shutdown.add('overlay', () => overlay.close());
  shutdown.add('jobs', () => jobs.close());
  const server = new JsonServer(overlay.createApp(), log);
  shutdown.add('listener', () => server.close(500));
  const url = await server.listen(0, '127.0.0.1');
  await overlay.start();
  log.info({ url }, 'listening');
  return { url, close: () => shutdown.close() };
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
