import { spawnSync } from 'node:child_process';
import { run, SetupError } from './run.mjs';

/**
 * A container of the project.
 *
 * @typedef {object} Container
 * @property {string} id
 * @property {string} name
 * @property {boolean} running
 * @property {string} image the id of its image
 * @property {string} hash what Compose made it of, as a hash
 * @property {string | undefined} health `starting`, `healthy` or `unhealthy`; undefined without a health check
 * @property {number} exitCode 0 while it runs
 * @property {number} startedAt milliseconds
 */

/** The compose project of the working directory: Compose's own files, variables and names are used as they are. */
export class ComposeProject {
  /** @type {{ name: string, services: Record<string, { image: string }> }} */
  #config;

  /**
   * @param {string[]} flags arguments for each call of `docker compose`, such as `--env-file=FILE`
   * @param {NodeJS.ProcessEnv} env the environment of each call
   * @throws {SetupError} when Compose can't read the project
   */
  constructor(flags, env) {
    this.flags = flags;
    this.env = env;
    this.#config = JSON.parse(this.#read(['compose', ...flags, 'config', '--format', 'json']));
  }

  /** @returns {string} */
  get name() {
    return this.#config.name;
  }

  /** The image that a service is to have. @param {string} service */
  imageOf(service) {
    return this.#config.services[service].image;
  }

  /** The hash of the configuration that Compose would use for a container of the service. @param {string} service */
  hashOf(service) {
    return (
      this.#read(['compose', ...this.flags, 'config', '--hash', service])
        .trim()
        .split(/\s+/)
        .at(-1) ?? ''
    );
  }

  /** The id of a local image; undefined when there is none. @param {string} image */
  findImage(image) {
    const { status, stdout } = this.#spawn(['image', 'inspect', '--format', '{{.Id}}', image]);
    return status === 0 ? stdout.trim() : undefined;
  }

  /**
   * The containers of a service, oldest first, without those of `docker compose run`.
   *
   * @param {string} service
   * @returns {Container[]}
   */
  list(service) {
    const labels = [`project=${this.name}`, `service=${service}`, 'oneoff=False'];
    const filters = labels.flatMap((label) => ['--filter', `label=com.docker.compose.${label}`]);
    const ids = this.#read(['ps', '--all', '--quiet', '--no-trunc', ...filters]).split('\n');
    return this.#inspect(ids.filter((id) => id !== '')).sort((a, b) => a.startedAt - b.startedAt);
  }

  /** @param {string} id @returns {Container | undefined} undefined when it is gone */
  find(id) {
    return this.#inspect([id])[0];
  }

  /** Runs a Compose command to its end. @param {string[]} args @throws {SetupError} when it fails */
  async compose(...args) {
    await this.#run(['compose', ...this.flags, ...args]);
  }

  /** Runs a Docker command to its end. @param {string[]} args @throws {SetupError} when it fails */
  async docker(...args) {
    await this.#run(args);
  }

  async #run(args) {
    let output = '';
    const onOutput = (text) => {
      output += text;
    };
    const code = await run('docker', args, { env: this.env, onOutput });
    if (code !== 0) throw new SetupError(`docker ${args.join(' ')} ended with ${code}:\n${output.trim()}`);
  }

  #inspect(ids) {
    if (ids.length === 0) return [];
    // One that ends meanwhile is no longer there, and the others are told all the same.
    const { stdout } = this.#spawn(['inspect', ...ids]);
    return JSON.parse(stdout || '[]').map(({ Id, Name, Image, Config, State }) => ({
      id: Id,
      name: Name.slice(1),
      running: State.Running,
      image: Image,
      hash: Config.Labels['com.docker.compose.config-hash'],
      health: State.Health?.Status,
      exitCode: State.ExitCode,
      startedAt: Date.parse(State.StartedAt),
    }));
  }

  #read(args) {
    const { status, stdout, stderr } = this.#spawn(args);
    if (status !== 0) throw new SetupError(`docker ${args.join(' ')}: ${stderr.trim()}`);
    return stdout;
  }

  #spawn(args) {
    const done = spawnSync('docker', args, { encoding: 'utf8', env: this.env, maxBuffer: 1 << 26 });
    if (done.error) throw new SetupError(`docker can't be run: ${done.error.message}`);
    return done;
  }
}
