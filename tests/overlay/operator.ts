import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';

export interface JobAnswer {
  readonly id: string;
  readonly name: string;
  readonly state: 'waiting' | 'delayed' | 'active' | 'completed' | 'failed';
  readonly attempts: number;
  readonly reason?: string;
  readonly result?: Readonly<Record<string, readonly string[]>>;
}

/** The time limit of a job, with delays. */
const JOB_TIMEOUT_MS = 100_000;

/** The operator of a server, with the real `AuthFetch`. */
export class Operator {
  readonly #privateKey = PrivateKey.fromRandom();
  /** For ADMIN_IDENTITY_KEYS. */
  readonly key = this.#privateKey.toPublicKey().toString();
  readonly #fetch = new AuthFetch(new ProtoWallet(this.#privateKey) as unknown as WalletInterface);

  /** Adds a job. @returns its id */
  async post(url: string, name: 'advertise' | 'revoke' | 'rebroadcast'): Promise<string> {
    const { status, body } = await this.#ask('POST', `${url}/overlay/${name}`);
    if (status !== 202) throw new Error(`POST /overlay/${name} answers ${status}: ${JSON.stringify(body)}`);
    return String(body['jobId']);
  }

  async job(url: string, id: string): Promise<JobAnswer> {
    const { status, body } = await this.#ask('GET', `${url}/overlay/jobs/${id}`);
    if (status !== 200) throw new Error(`GET /overlay/jobs answers ${status}: ${JSON.stringify(body)}`);
    return body['job'] as JobAnswer;
  }

  /** `SHIP tm_messagebox https://…` of each, sorted. */
  async ads(url: string): Promise<string[]> {
    const { body } = await this.#ask('GET', `${url}/overlay/ads`);
    const ads = body['ads'] as { protocol: string; name: string; domain: string }[];
    return ads.map(({ protocol, name, domain }) => `${protocol} ${name} ${domain}`).sort();
  }

  /**
   * Polls the job until it is as it should be.
   *
   * @param meanwhile called with each answer before that
   */
  async waitForJob(
    url: string,
    id: string,
    is: (job: JobAnswer) => boolean = ({ state }) => state === 'completed',
    meanwhile: (job: JobAnswer) => Promise<void> = async () => undefined,
  ): Promise<JobAnswer> {
    const deadline = Date.now() + JOB_TIMEOUT_MS;
    for (;;) {
      const job = await this.job(url, id);
      if (is(job)) return job;
      if (Date.now() > deadline || job.state === 'failed') throw new Error(`the job is ${JSON.stringify(job)}`);
      await meanwhile(job);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #ask(method: string, url: string): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
    const body = method === 'POST' ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {};
    const response = await this.#fetch.fetch(url, { method, ...body });
    return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
  }
}
