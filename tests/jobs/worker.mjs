// A process that works the queue `test`, by the build. Argument: JSON {url, prefix, policy, times, name, mode}. Modes:
// `hang` begins a job and never ends it, `die` ends the process in the middle of one, `work` completes it, and `open`
// only opens the queue. A line for each event.
import { createRequire } from 'node:module';
import { connectRedis, createLogger, Metrics, RedisJobQueue } from '@messagebox/shared';

const { url, prefix, policy, times, name, mode } = JSON.parse(process.argv[2]);
const log = createLogger('worker', 'info');
const redis = await connectRedis(url, log);
const queue = new RedisJobQueue('test', { redis, prefix, log, metrics: new Metrics('worker', {}), times }, policy);
const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('/bullmq/'));

const modes = {
  async hang(job) {
    console.log(`begun ${job.id}`);
    await new Promise(() => undefined);
  },
  async die() {
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  },
  async work(job) {
    console.log(`done ${job.id}`);
    return process.pid;
  },
};
if (mode === 'open') {
  console.log(`loaded ${isLoaded()}`);
  await queue.counts();
  console.log(`loaded ${isLoaded()}`);
} else {
  queue.work({ [name]: modes[mode] }, { concurrency: 1 });
  console.log('working');
}
