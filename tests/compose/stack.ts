import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Deployment } from '../acceptance/deployments.js';

const run = promisify(execFile);

/** The address of the edge of the compose project under test, and the project's name. */
export const edgeUrl = requireSetting('COMPOSE_TEST_URL');
const project = requireSetting('COMPOSE_PROJECT_NAME');

function requireSetting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: these tests are started by npm run test:compose`);
  return value;
}

export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** Whether the edge passes requests on to an api. While a container starts, connections to it are refused or cut. */
export async function isServing(): Promise<boolean> {
  try {
    return (await fetch(`${edgeUrl}/health/ready`)).ok;
  } catch {
    return false;
  }
}

/** Numbers of one process, as `/metrics` says them. */
export class MetricsText {
  constructor(private readonly text: string) {}

  /** The sum of all series of a metric whose labels contain these. */
  sum(metric: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
    return this.text
      .split('\n')
      .filter((line) => line.startsWith(`${metric}{`) && wanted.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
}

export interface Inspected {
  readonly RestartCount: number;
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly Memory: number;
    readonly CapDrop: readonly string[] | null;
    readonly SecurityOpt: readonly string[] | null;
  };
  readonly State: {
    readonly Running: boolean;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Health?: { readonly Status: string };
  };
}

/** A container of the project. */
export class Container {
  constructor(
    readonly id: string,
    readonly service: string,
  ) {}

  exec(...command: string[]): Promise<string> {
    return docker('exec', this.id, ...command);
  }

  /** The metrics of the process, from its internal port. */
  async readMetrics(): Promise<MetricsText> {
    const script = `fetch('http://127.0.0.1:9464/metrics').then((r) => r.text()).then((text) => console.log(text))`;
    return new MetricsText(await this.exec('node', '-e', script));
  }

  async inspect(): Promise<Inspected> {
    const [inspected] = JSON.parse(await docker('inspect', this.id)) as [Inspected];
    return inspected;
  }

  async logs(): Promise<string> {
    const { stdout, stderr } = await run('docker', ['logs', this.id], { maxBuffer: 64 * 1024 * 1024 });
    return stdout + stderr;
  }

  /** Ends it at once, as a crash or a lost machine does. It stays down. */
  async kill(): Promise<void> {
    await docker('kill', this.id);
  }
}

/** The running containers of a service; with `all`, those that have ended as well. */
export async function listContainers(service: string, { all = false } = {}): Promise<Container[]> {
  const filters = [`com.docker.compose.project=${project}`, `com.docker.compose.service=${service}`];
  const listing = await docker(
    'ps',
    '--quiet',
    ...(all ? ['--all'] : []),
    ...filters.flatMap((label) => ['--filter', `label=${label}`]),
  );
  return listing
    .split('\n')
    .filter((id) => id !== '')
    .map((id) => new Container(id, service));
}

/** The compose project as the shared suites know a deployment: one address for everything. */
export function requireComposeStack(): Deployment {
  return {
    apis: [edgeUrl, edgeUrl],
    realtimes: [edgeUrl, edgeUrl],
    overlays: [edgeUrl],
    get processes(): never {
      throw new Error('the processes of the compose project are containers');
    },
    env: {},
    databaseUrl: undefined,
    close: async () => {},
  };
}
