import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 10_485_760, 33_554_432];

/**
 * The numbers of one service, for Prometheus. Labels have few values each: no identity, no box, no id.
 * Names follow https://prometheus.io/docs/practices/naming/.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly httpDuration;
  readonly httpRequestBytes;
  readonly httpResponseBytes;
  readonly authOutcomes;
  readonly limitsHit;
  readonly messages;
  readonly quotaRefusals;
  readonly storeDuration;
  readonly published;
  readonly delivered;
  readonly undelivered;
  readonly deliveryLatency;
  readonly socketEvents;
  readonly pushes;
  readonly jobs;
  readonly jobDuration;
  readonly #jobCounts = new Map<string, () => Promise<Readonly<Record<string, number>>>>();
  readonly overlaySubmissions;
  readonly overlaySyncedOutputs;

  /** @param facts what this process runs on, as labels of one constant: `secp256k1` says which implementation it is */
  constructor(service: string, facts: Readonly<Record<string, string>>) {
    const registers = [this.registry];
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'messagebox_info',
      help: 'What this process runs on; always 1.',
      labelNames: Object.keys(facts),
      registers,
    })
      .labels(facts)
      .set(1);
    this.httpDuration = new Histogram({
      name: 'messagebox_http_request_duration_seconds',
      help: 'Time from the request to the end of its answer.',
      labelNames: ['method', 'route', 'code'],
      buckets: SECONDS,
      registers,
    });
    this.httpRequestBytes = new Histogram({
      name: 'messagebox_http_request_size_bytes',
      help: 'Declared size of request bodies.',
      labelNames: ['route'],
      buckets: BYTES,
      registers,
    });
    this.httpResponseBytes = new Histogram({
      name: 'messagebox_http_response_size_bytes',
      help: 'Size of response bodies.',
      labelNames: ['route'],
      buckets: BYTES,
      registers,
    });
    this.authOutcomes = new Counter({
      name: 'messagebox_auth_outcomes_total',
      help: 'Requests, handshakes and socket frames by how their authentication ended.',
      labelNames: ['transport', 'outcome'],
      registers,
    });
    this.limitsHit = new Counter({
      name: 'messagebox_limits_hit_total',
      help: 'Refusals, ended connections and the like, by the limit that was met.',
      labelNames: ['limit'],
      registers,
    });
    this.messages = new Counter({
      name: 'messagebox_messages_total',
      help: 'Messages by what was done with them: stored, duplicate, listed, acknowledged.',
      labelNames: ['outcome'],
      registers,
    });
    this.quotaRefusals = new Counter({
      name: 'messagebox_quota_refusals_total',
      help: 'Sends refused because too much is stored, by quota (inbox, sender, pair) and resource (messages, bytes).',
      labelNames: ['quota', 'resource'],
      registers,
    });
    this.storeDuration = new Histogram({
      name: 'messagebox_store_duration_seconds',
      help: 'Time of calls to the message store, by call and result.',
      labelNames: ['call', 'result'],
      buckets: SECONDS,
      registers,
    });
    this.published = new Counter({
      name: 'messagebox_room_events_total',
      help: 'Stored messages by whether they were announced to live listeners: published, nobody, too_large, unspeakable.',
      labelNames: ['outcome'],
      registers,
    });
    this.delivered = new Counter({
      name: 'messagebox_live_deliveries_total',
      help: 'Messages signed and handed to a socket of their recipient.',
      registers,
    });
    this.undelivered = new Counter({
      name: 'messagebox_socket_undelivered_total',
      help: 'Events not sent to a socket, and sockets closed so that their clients come back, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.deliveryLatency = new Histogram({
      name: 'messagebox_live_delivery_latency_seconds',
      help: 'Time from the commit of a message to handing it to a socket; across machines it includes clock differences.',
      buckets: SECONDS,
      registers,
    });
    this.socketEvents = new Counter({
      name: 'messagebox_socket_events_total',
      help: 'Verified events from sockets.',
      labelNames: ['event'],
      registers,
    });
    this.pushes = new Counter({
      name: 'messagebox_pushes_total',
      help: 'Pushes by how they ended: sent, dead_token, refused, skipped, expired; retried ones by each try.',
      labelNames: ['outcome'],
      registers,
    });
    this.jobs = new Counter({
      name: 'messagebox_jobs_total',
      help: 'Attempts of jobs by how they ended: completed, retried, failed, postponed, handed_back.',
      labelNames: ['queue', 'name', 'outcome'],
      registers,
    });
    this.jobDuration = new Histogram({
      name: 'messagebox_job_duration_seconds',
      help: 'Time of attempts of jobs, whatever their end.',
      labelNames: ['queue', 'name'],
      buckets: [...SECONDS, 30, 60, 300],
      registers,
    });
    this.overlaySubmissions = new Counter({
      name: 'messagebox_overlay_submissions_total',
      help: 'Valid transactions by topic and what they did to it: admitted, removed, unchanged, duplicate.',
      labelNames: ['topic', 'outcome'],
      registers,
    });
    this.overlaySyncedOutputs = new Counter({
      name: 'messagebox_overlay_synced_outputs_total',
      help: 'Outputs that other overlay hosts listed: known, admitted, refused, failed.',
      labelNames: ['topic', 'outcome'],
      registers,
    });
    const jobCounts = this.#jobCounts;
    new Gauge({
      name: 'messagebox_jobs_kept',
      help: 'Jobs of a queue by state: waiting, delayed, active, completed, failed.',
      labelNames: ['queue', 'state'],
      registers,
      async collect() {
        this.reset();
        for (const [queue, read] of jobCounts) {
          // A queue that can't be asked has no numbers; the others still have.
          const counts = await read().catch(() => ({}));
          for (const [state, number] of Object.entries(counts)) this.labels({ queue, state }).set(number);
        }
      },
    });
  }

  /**
   * Adds the numbers of a queue of jobs, read when they are asked for.
   *
   * @returns ends it
   */
  watchJobs(queue: string, read: () => Promise<Readonly<Record<string, number>>>): () => void {
    this.#jobCounts.set(queue, read);
    return () => void this.#jobCounts.delete(queue);
  }

  /** Times a call to the database, under the name of what was asked. */
  async timeStore<T>(call: string, work: () => Promise<T>): Promise<T> {
    const end = this.storeDuration.startTimer({ call });
    try {
      const result = await work();
      end({ result: 'ok' });
      return result;
    } catch (error) {
      end({ result: error instanceof Error ? error.name : 'error' });
      throw error;
    }
  }

  /** Adds a number that is read when it is asked for. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Adds numbers that are read when they are asked for, one for each value of a label. */
  gauges(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect() {
        for (const [value, number] of Object.entries(read())) this.labels({ [label]: value }).set(number);
      },
    });
  }
}
