// Brings a running compose project to another version without an outage: `npm run upgrade:compose -- --to TAG`.
// docs/upgrading.md describes it.
import { parseArgs } from 'node:util';
import { ComposeProject } from './lib/compose-project.mjs';
import { RollingUpgrade } from './lib/rolling-upgrade.mjs';
import { main, SetupError } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

const USAGE = `npm run upgrade:compose -- [--to TAG] [--env-file FILE]… [--timeout SECONDS]

  --to        the tag of the images, in place of MESSAGEBOX_VERSION; also an older one, for a step back
  --env-file  as for docker compose
  --timeout   how long a new instance may take to become healthy, default 120`;

function readOptions() {
  try {
    const { values } = parseArgs({
      args: scriptArguments(),
      options: {
        to: { type: 'string' },
        'env-file': { type: 'string', multiple: true, default: [] },
        timeout: { type: 'string', default: '120' },
      },
    });
    if (!/^[1-9]\d{0,4}$/.test(values.timeout)) throw new Error('--timeout must be a number of seconds');
    if (values.to !== undefined && !/^\w[\w.-]{0,127}$/.test(values.to)) throw new Error('--to must be a tag');
    return values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${USAGE}`);
  }
}

await main(async () => {
  const { to, 'env-file': files, timeout } = readOptions();
  const flags = files.flatMap((file) => ['--env-file', file]);
  const lasting = new ComposeProject(flags, process.env);
  const project = to === undefined ? lasting : new ComposeProject(flags, { ...process.env, MESSAGEBOX_VERSION: to });
  const upgrade = new RollingUpgrade(project, {
    timeoutMs: Number(timeout) * 1_000,
    say: (line) => console.log(line),
  });
  await upgrade.run();
  console.log(`Every instance runs ${project.imageOf('api')}, or what it is called for the other services.`);
  for (const service of upgrade.findOutdatedStores()) {
    console.log(`${service} differs from docker-compose.yml. It was left alone; see docs/upgrading.md.`);
  }
  if (lasting.imageOf('api') !== project.imageOf('api')) {
    console.log(`Set MESSAGEBOX_VERSION=${to} where your variables are, or the next docker compose up goes back.`);
  }
});
