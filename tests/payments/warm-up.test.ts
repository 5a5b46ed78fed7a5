import { resolve } from 'node:path';
import { deployScaled, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { waitUntil } from '../acceptance/history.js';
import type { ServiceProcess } from '../support/service-process.js';

/** Asks a process whether it has loaded the wallet toolbox. */
async function hasLoadedToolbox({ pid, logs }: ServiceProcess): Promise<boolean> {
  const answers = () => logs.filter((line) => line.includes('"msg":"module"'));
  const before = answers().length;
  process.kill(pid, 'SIGUSR2');
  await waitUntil('the process has answered', () => answers().length > before);
  return (JSON.parse(answers().at(-1) ?? '{}') as { loaded: boolean }).loaded;
}

const isReady = async ({ url }: ServiceProcess) => (await fetch(`${url}/health/ready`)).ok;

describeScaled('the code for payments', () => {
  describe.each([
    ['is loaded before a process is ready, in production', 'production', true],
    ['is loaded by the first payment, in development', 'development', false],
  ])('%s', (_when, nodeEnv, isLoaded) => {
    const at = useDeployment(() =>
      deployScaled({
        NODE_ENV: nodeEnv,
        NETWORK: 'local',
        NODE_OPTIONS: `--require ${resolve(import.meta.dirname, '../support/loaded-modules.cjs')}`,
        MODULE_ASKED_FOR: '@bsv/wallet-toolbox',
      }),
    );

    test.each(['apis', 'realtimes'] as const)('of %s', async (kind) => {
      const [service] = at().processes[kind];
      await waitUntil('the process is ready', () => isReady(service));
      expect(await hasLoadedToolbox(service)).toBe(isLoaded);
    });
  });
});
