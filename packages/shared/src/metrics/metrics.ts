import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Upper ends of the buckets of durations. */
export const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BYTES_BUCKETS = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 10_485_760, 33_554_432];

/**
 * The metrics of one service, for Prometheus. Each label has few values: no identity, no box, no id. Names follow
 * https://prometheus.io/docs/practices/naming/.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly httpDuration;
  readonly httpRequestBytes;
  readonly httpResponseBytes;
  readonly authOutcomes;
  readonly limitsHit;
  readonly messages;
  readonly messagesExpired;
  readonly quotaRefusals;
  readonly storeDuration;
  readonly published;
  readonly delivered;
  readonly undelivered;
  readonly replays;
  readonly replayed;
  readonly deliveryLatency;
  readonly catchUps;
  readonly recovered;
  readonly socketEvents;
  readonly pushes;
  readonly jobs;
  readonly jobDuration;
  readonly #jobCounts = new Map<string, () => Promise<Readonly<Record<string, number>>>>();
  readonly overlaySubmissions;
  readonly overlaySyncedOutputs;

  /** @param facts the implementations in use, as labels of one constant, for example `secp256k1` */
  constructor(service: string, facts: Readonly<Record<string, string>>) {
    const registers = [this.registry];
    this.registry.setDefaultLabels({ service });
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: 'messagebox_info',
      help: 'The implementations that this process uses, as labels. Always 1.',
      labelNames: Object.keys(facts),
      registers,
    })
      .labels(facts)
      .set(1);
    this.httpDuration = new Histogram({
      name: 'messagebox_http_request_duration_seconds',
      help: 'Time from the request to the end of the response.',
      labelNames: ['method', 'route', 'code'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.httpRequestBytes = new Histogram({
      name: 'messagebox_http_request_size_bytes',
      help: 'Declared size of request bodies.',
      labelNames: ['route'],
      buckets: BYTES_BUCKETS,
      registers,
    });
    this.httpResponseBytes = new Histogram({
      name: 'messagebox_http_response_size_bytes',
      help: 'Size of response bodies.',
      labelNames: ['route'],
      buckets: BYTES_BUCKETS,
      registers,
    });
    this.authOutcomes = new Counter({
      name: 'messagebox_auth_outcomes_total',
      help: 'Requests, handshakes and socket frames, by the outcome of their authentication.',
      labelNames: ['transport', 'outcome'],
      registers,
    });
    this.limitsHit = new Counter({
      name: 'messagebox_limits_hit_total',
      help: 'Refusals and closed connections, by the limit that was hit.',
      labelNames: ['limit'],
      registers,
    });
    this.messages = new Counter({
      name: 'messagebox_messages_total',
      help: 'Messages by outcome: stored, duplicate, listed, acknowledged.',
      labelNames: ['outcome'],
      registers,
    });
    this.messagesExpired = new Counter({
      name: 'messagebox_messages_expired_total',
      help: 'Expired messages that the purge of this instance has removed.',
      registers,
    });
    this.quotaRefusals = new Counter({
      name: 'messagebox_quota_refusals_total',
      help: 'Sends that a quota refused, by quota (inbox, sender, pair) and resource (messages, bytes).',
      labelNames: ['quota', 'resource'],
      registers,
    });
    this.storeDuration = new Histogram({
      name: 'messagebox_store_duration_seconds',
      help: 'Duration of calls to the message store, by call and result.',
      labelNames: ['call', 'result'],
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.published = new Counter({
      name: 'messagebox_room_events_total',
      help: 'Stored messages by the outcome of their live event: published, nobody, too_large, unspeakable.',
      labelNames: ['outcome'],
      registers,
    });
    this.delivered = new Counter({
      name: 'messagebox_live_deliveries_total',
      help: 'Messages that were signed and sent to a socket of their recipient.',
      registers,
    });
    this.undelivered = new Counter({
      name: 'messagebox_socket_undelivered_total',
      help: 'Events that were not sent to a socket, and sockets that were closed so that their clients reconnect, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.replays = new Counter({
      name: 'messagebox_replays_total',
      help: 'Replays of a room to one socket, by reason (restored, asked) and outcome (complete, partial).',
      labelNames: ['reason', 'outcome'],
      registers,
    });
    this.replayed = new Counter({
      name: 'messagebox_replayed_messages_total',
      help: 'Messages that were sent to one socket in a replay.',
      registers,
    });
    this.deliveryLatency = new Histogram({
      name: 'messagebox_live_delivery_latency_seconds',
      help: 'Time from the commit of a message to sending it to a socket. Across machines it includes clock differences.',
      buckets: SECONDS_BUCKETS,
      registers,
    });
    this.catchUps = new Counter({
      name: 'messagebox_catch_ups_total',
      help: 'Times in which live events may have been lost, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.recovered = new Counter({
      name: 'messagebox_recovered_messages_total',
      help:
        'Messages whose live events did not arrive, by outcome: delivered from the database, arrived after all, ' +
        'acknowledged, and not pushed because they are paid, too_large or unspeakable.',
      labelNames: ['outcome'],
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
      help: 'Push notifications by outcome: sent, dead_token, refused, skipped, expired, and retried for each retry.',
      labelNames: ['outcome'],
      registers,
    });
    this.jobs = new Counter({
      name: 'messagebox_jobs_total',
      help: 'Attempts of jobs by outcome: completed, retried, failed, postponed, handed_back.',
      labelNames: ['queue', 'name', 'outcome'],
      registers,
    });
    this.jobDuration = new Histogram({
      name: 'messagebox_job_duration_seconds',
      help: 'Duration of attempts of jobs, with any outcome.',
      labelNames: ['queue', 'name'],
      buckets: [...SECONDS_BUCKETS, 30, 60, 300],
      registers,
    });
    this.overlaySubmissions = new Counter({
      name: 'messagebox_overlay_submissions_total',
      help: 'Valid transactions by topic and outcome: admitted, removed, unchanged, duplicate.',
      labelNames: ['topic', 'outcome'],
      registers,
    });
    this.overlaySyncedOutputs = new Counter({
      name: 'messagebox_overlay_synced_outputs_total',
      help: 'Outputs that other overlay hosts listed, by outcome: known, admitted, refused, failed.',
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
          // A queue that cannot be read has no values; the others still have theirs.
          const counts = await read().catch(() => ({}));
          for (const [state, number] of Object.entries(counts)) this.labels({ queue, state }).set(number);
        }
      },
    });
  }

  /**
   * Adds the job counts of a queue to `messagebox_jobs_kept`. They are read at each scrape.
   *
   * @returns removes them
   */
  addJobCounts(queue: string, read: () => Promise<Readonly<Record<string, number>>>): () => void {
    this.#jobCounts.set(queue, read);
    return () => void this.#jobCounts.delete(queue);
  }

  /** Times a call to the database. @param call the label of the metric */
  async timeStoreCall<T>(call: string, work: () => Promise<T>): Promise<T> {
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

  /** Adds a gauge whose value is read at each scrape. */
  addGauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Adds a counter whose value is counted elsewhere and read at each scrape. It must never decrease. */
  addCounter(name: string, help: string, read: () => number): void {
    new Counter({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** Adds a gauge with one label, whose values are read at each scrape. */
  addLabelledGauge(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void {
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
