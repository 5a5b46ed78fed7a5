import { callApi } from '../api/call.js';
import type { CurrentIdentity } from '../identity/current-identity.js';

/** `GET /admin/stats`. */
export interface Stats {
  readonly time: string;
  readonly uptimeSeconds: number;
  readonly rates: {
    readonly messagesPerSecond: number;
    readonly acknowledgedPerSecond: number;
    readonly requestsPerSecond: number;
    readonly pushesPerSecond: number;
  };
  readonly deliveryLatencyMs: { readonly p50: number | null; readonly p95: number | null; readonly p99: number | null };
  readonly sockets: number;
  /** Null while the queue can't be read. */
  readonly queue: Readonly<Record<'waiting' | 'active' | 'failed' | 'delayed' | 'completed', number>> | null;
  /** Null while it can't be counted, and during the first count. */
  readonly storage: {
    readonly messages: number;
    readonly bytes: number;
    readonly identities: number;
    readonly databaseBytes: number | null;
    readonly countedAt: string;
  } | null;
  readonly limitsHit: readonly { readonly name: string; readonly count: number }[];
  readonly history: readonly {
    readonly time: string;
    readonly messagesPerSecond: number;
    readonly sockets: number;
    readonly p95: number | null;
  }[];
}

/** An entry of `GET /admin/instances`. */
export interface Instance {
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly startedAt: string;
  readonly seenAt: string;
  readonly state: 'starting' | 'ready' | 'not ready' | 'draining';
  readonly reasons: readonly string[];
  readonly sockets: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly loopDelayMs: number;
  readonly address?: string;
}

export type UsageOrder = 'bytes' | 'messages';

export interface RankedBox {
  readonly identityKey: string;
  readonly messageBox: string;
  readonly messages: number;
  readonly bytes: number;
  readonly oldest: string | null;
}

export interface RankedSender {
  readonly identityKey: string;
  readonly messages: number;
  readonly bytes: number;
}

/** A page of a list, and where the next one begins. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  /** When the usage was counted; null while it is counted for the first time. */
  readonly countedAt?: string | null;
}

export interface Block {
  readonly since: string;
  readonly by: string;
  readonly reason: string | null;
}

/** `GET /admin/identities/:key`. */
export interface IdentityReport {
  readonly identityKey: string;
  readonly blocked: Block | null;
  readonly boxes: readonly Omit<RankedBox, 'identityKey'>[];
  readonly received: { readonly messages: number; readonly bytes: number };
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly devices: number;
  readonly permissions: number;
}

export interface Fee {
  readonly messageBox: string;
  readonly deliveryFee: number;
  readonly updatedAt: string;
}

export type JobState = 'failed' | 'waiting' | 'delayed' | 'active' | 'completed';

export interface Job {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly attempts: number;
  readonly reason?: string;
  readonly addedAt: string;
  readonly finishedAt?: string;
}

export interface Advertisement {
  readonly protocol: string;
  readonly name: string;
  readonly domain: string;
  readonly txid: string;
  readonly outputIndex: number;
  readonly createdAt: string;
}

export interface Setting {
  readonly name: string;
  readonly value: string | null;
  readonly isGiven: boolean;
}

export interface AuditEntry {
  readonly id: string;
  readonly time: string;
  readonly operator: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

type Answer = Readonly<Record<string, unknown>>;

/** The operators' routes, called by one identity. All methods throw {@link ApiError}. */
export class OperatorApi {
  constructor(private readonly identity: CurrentIdentity) {}

  // The casts below: these are answers of this server, of the same version as this page.

  async readStats(): Promise<Stats> {
    return (await this.#get('/admin/stats')) as unknown as Stats;
  }

  async listInstances(): Promise<readonly Instance[]> {
    return (await this.#get('/admin/instances'))['instances'] as Instance[];
  }

  listBoxes(order: UsageOrder, after?: string): Promise<Page<RankedBox>> {
    return this.#readPage('/admin/boxes', 'boxes', { order, limit: '25', after });
  }

  listSenders(order: UsageOrder, after?: string): Promise<Page<RankedSender>> {
    return this.#readPage('/admin/senders', 'senders', { order, limit: '25', after });
  }

  async readIdentity(key: string): Promise<IdentityReport> {
    return (await this.#get(`/admin/identities/${key}`)) as unknown as IdentityReport;
  }

  async block(key: string, reason: string): Promise<void> {
    await this.#post(`/admin/identities/${key}/block`, reason === '' ? {} : { reason });
  }

  async unblock(key: string): Promise<void> {
    await this.#post(`/admin/identities/${key}/unblock`, {});
  }

  async purge(key: string, messageBox: string | undefined): Promise<{ removed: number; kept: number }> {
    const answer = await this.#post(`/admin/identities/${key}/purge`, messageBox === undefined ? {} : { messageBox });
    return { removed: Number(answer['removed']), kept: Number(answer['kept']) };
  }

  async listFees(): Promise<readonly Fee[]> {
    return (await this.#get('/admin/fees'))['fees'] as Fee[];
  }

  async setFee(messageBox: string, deliveryFee: number): Promise<void> {
    await callApi(this.identity, 'PUT', '/admin/fees', { messageBox, deliveryFee });
  }

  async listJobs(state: JobState): Promise<readonly Job[]> {
    return (await this.#get(`/admin/jobs?state=${state}&limit=100`))['jobs'] as Job[];
  }

  async retryJob(id: string): Promise<void> {
    await this.#post(`/admin/jobs/${encodeURIComponent(id)}/retry`, {});
  }

  async listAdvertisements(): Promise<readonly Advertisement[]> {
    return (await this.#get('/admin/advertisements'))['advertisements'] as Advertisement[];
  }

  async readConfig(): Promise<{ version: string; settings: readonly Setting[] }> {
    const { version, settings } = await this.#get('/admin/config');
    return { version: String(version), settings: settings as Setting[] };
  }

  listAudit(after?: string): Promise<Page<AuditEntry>> {
    return this.#readPage('/admin/audit', 'entries', { limit: '50', after });
  }

  #get(path: string): Promise<Answer> {
    return callApi(this.identity, 'GET', path);
  }

  #post(path: string, body: object): Promise<Answer> {
    return callApi(this.identity, 'POST', path, body);
  }

  async #readPage<T>(
    path: string,
    name: string,
    query: Readonly<Record<string, string | undefined>>,
  ): Promise<Page<T>> {
    const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const answer = await this.#get(`${path}?${new URLSearchParams(given)}`);
    return {
      items: answer[name] as T[],
      next: answer['next'] as string | null,
      countedAt: answer['countedAt'] as string | null,
    };
  }
}
