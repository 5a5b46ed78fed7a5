/**
 * The api, but for what ends its process without a word: after SIGUSR2, at the step of a payment that CRASH_AT names, or
 * CRASH_AFTER_MS after the next request has come.
 */
import { createApi } from '@messagebox/api';
import { createPaymentService, createPricePayments, startPaymentRecovery } from '@messagebox/payments';
import { createServiceContext, JsonServer, openOverlayJobQueue, runService } from '@messagebox/shared';
import { createBsvServices } from '@messagebox/wallet';

const { CRASH_AT, CRASH_AFTER_MS, IDLE_MS } = process.env;
const crash = () => process.kill(process.pid, 'SIGKILL');
let armed = false;

await runService('api', async (config, log) => {
  const foundation = await createServiceContext(config, log, { service: 'api', embedded: config.store });
  const { shutdown } = foundation;
  const events = { publish: () => undefined };
  const bsv = createBsvServices(foundation);
  const onStep = (step) => {
    if (armed && step === CRASH_AT) crash();
  };
  const payments = createPaymentService({ ...foundation, bsv, onStep });
  const pricePayments = createPricePayments({ ...foundation, bsv, onStep });
  const looks = !IDLE_MS ? {} : { idleMs: Number(IDLE_MS), intervalMs: 100 };
  startPaymentRecovery({ ...foundation, events, payments, pricePayments, ...looks });
  const server = new JsonServer(
    createApi({ ...foundation, events, jobs: openOverlayJobQueue(foundation), payments, pricePayments }),
    log,
  );
  server.http.on('request', () => {
    if (armed && CRASH_AFTER_MS) setTimeout(crash, Number(CRASH_AFTER_MS));
  });
  const url = await server.listen(config.port ?? 0, config.host);
  process.on('SIGUSR2', () => {
    armed = true;
    log.info('armed');
  });
  log.info({ url }, 'listening');
  return { url, close: () => shutdown.close() };
});
