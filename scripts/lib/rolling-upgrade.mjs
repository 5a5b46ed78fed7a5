import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { SetupError } from './run.mjs';
import { inRoot } from './workspace.mjs';

/** @typedef {import('./compose-project.mjs').ComposeProject} ComposeProject */
/** @typedef {import('./compose-project.mjs').Container} Container */

/** Any order would do: old and new instances work together. */
export const ROLLING_SERVICES = ['api', 'realtime', 'overlay'];
export const EDGE = 'edge';
const ROLLED = [...ROLLING_SERVICES, EDGE];
const EDGE_CONFIG = 'deploy/edge/nginx.conf';

const POLL_INTERVAL_MS = 500;
/** The edge asks for addresses every two seconds (`resolver … valid=2s`), and uses what it got for the request at hand. */
const EDGE_LEARNS_MS = 3_000;
/** Whoever has the edge's port must go before the next can have it: so long it may finish requests, and then nobody is there. */
const EDGE_STOP_SECONDS = 2;

/**
 * Replaces the instances of a running compose project, one at a time: a new one first, and when that is healthy, an old
 * one is told to stop, finishes its requests, parts with its sockets, and is removed. Instances that are what they are to be are
 * left alone, so that a call after an interruption goes on where the last one stopped.
 */
export class RollingUpgrade {
  /**
   * @param {ComposeProject} project
   * @param {{ timeoutMs: number, say: (line: string) => void }} options `timeoutMs`: how long a new instance may take to
   *   become healthy
   */
  constructor(project, { timeoutMs, say }) {
    this.project = project;
    this.timeoutMs = timeoutMs;
    this.say = say;
  }

  /** @throws {SetupError} when a step fails; all that was healthy then still runs */
  async run() {
    this.#checkRunning();
    for (const service of ROLLED) await this.#provideImage(service);
    this.say('migrate: bring the database to the new schema');
    await this.project.compose('run', '--rm', '--no-deps', '-T', 'migrate');
    await this.#removeEnded();
    for (const service of ROLLING_SERVICES) await this.#replaceAll(service);
    await this.#replaceEdge();
  }

  /** Data stays where it is: what Compose would replace otherwise is only named. @returns {string[]} */
  findOutdatedStores() {
    return ['mysql', 'redis'].filter((service) =>
      this.project.list(service).some((one) => !this.#isCurrent(service, one)),
    );
  }

  #checkRunning() {
    const missing = ROLLED.filter((service) => !this.project.list(service).some(isServing));
    if (missing.length === 0) return;
    throw new SetupError(
      `The project ${this.project.name} has no working ${missing.join(', ')}: start it with docker compose up first.`,
    );
  }

  async #provideImage(service) {
    const image = this.project.imageOf(service);
    if (this.project.findImage(image) !== undefined) return;
    this.say(`${service}: pull ${image}`);
    await this.project.compose('pull', '--quiet', service);
  }

  #isCurrent(service, container) {
    return (
      container.hash === this.project.hashOf(service) &&
      container.image === this.project.findImage(this.project.imageOf(service))
    );
  }

  /** Containers that have ended count as instances for Compose, which would start them again as they were. */
  async #removeEnded() {
    for (const service of ROLLED) {
      for (const { id, running } of this.project.list(service)) if (!running) await this.project.docker('rm', id);
    }
  }

  async #replaceAll(service) {
    const all = this.project.list(service);
    const old = all.filter((container) => !this.#isCurrent(service, container));
    this.say(`${service}: ${old.length} of ${all.length} to replace`);
    for (const [i, container] of old.entries()) {
      const added = await this.#create(service);
      await this.project.docker('start', added.id);
      await this.#waitUntilHealthy(service, added);
      await setTimeout(EDGE_LEARNS_MS);
      await this.project.docker('stop', container.id);
      const { exitCode } = this.project.find(container.id) ?? { exitCode: 0 };
      await this.project.docker('rm', container.id);
      const how = exitCode === 0 ? '' : `, which ended with ${exitCode}`;
      this.say(`${service}: ${i + 1} of ${old.length}: ${added.name} in place of ${container.name}${how}`);
    }
  }

  /**
   * Creates one container more, and leaves all others as they are. `up --no-deps` would record another hash, and the next
   * `docker compose up` would replace everything at once.
   */
  async #create(service) {
    const counts = ROLLED.map((name) => ({ name, ids: this.project.list(name).map(({ id }) => id) }));
    const scale = counts.flatMap(({ name, ids }) => ['--scale', `${name}=${ids.length + (name === service ? 1 : 0)}`]);
    // For all services: those that a service does not need would have no scale.
    await this.project.compose('create', '--no-build', '--no-recreate', ...scale);
    const before = new Set(counts.flatMap(({ ids }) => ids));
    const added = this.project.list(service).find(({ id }) => !before.has(id));
    if (added === undefined) throw new SetupError(`${service}: Compose has created no container.`);
    return added;
  }

  async #waitUntilHealthy(service, { id, name }) {
    const deadline = performance.now() + this.timeoutMs;
    for (;;) {
      const now = this.project.find(id);
      if (now?.running && now.health === 'healthy') return;
      if (now === undefined || performance.now() > deadline) break;
      await setTimeout(POLL_INTERVAL_MS);
    }
    await this.project.docker('rm', '--force', id).catch(() => undefined);
    throw new SetupError(
      `${service}: ${name} has not become healthy within ${this.timeoutMs / 1_000} s and was removed. ` +
        'The instance that it was to replace still serves.',
    );
  }

  /** A changed configuration is read without a gap. With another image the port changes hands, which takes a moment. */
  async #replaceEdge() {
    const [edge] = this.project.list(EDGE);
    if (edge === undefined) throw new SetupError('The edge has stopped.');
    if (!this.#isCurrent(EDGE, edge)) {
      const added = await this.#create(EDGE);
      this.say('edge: replace it; for a moment nobody listens');
      await this.project.docker('stop', '--time', String(EDGE_STOP_SECONDS), edge.id);
      try {
        await this.project.docker('start', added.id);
        await this.#waitUntilHealthy(EDGE, added);
      } catch (error) {
        await this.project.docker('rm', '--force', added.id).catch(() => undefined);
        await this.project.docker('start', edge.id);
        throw error;
      }
      await this.project.docker('rm', edge.id);
      return;
    }
    if (statSync(inRoot(EDGE_CONFIG)).mtimeMs < edge.startedAt) {
      this.say('edge: nothing to do');
      return;
    }
    this.say('edge: read its configuration again');
    const nginx = ['exec', edge.id, 'nginx', '-c', '/etc/nginx/messagebox/nginx.conf'];
    await this.project.docker(...nginx, '-t');
    await this.project.docker(...nginx, '-s', 'reload');
  }
}

/** Also one that has just been started again, and was not asked yet. @param {Container} container */
function isServing({ running, health }) {
  return running && health !== 'unhealthy';
}
