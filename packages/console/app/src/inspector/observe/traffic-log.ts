import type { HttpExchange, RecordedBody, TrafficRecord, TrafficSink } from './traffic.js';

/** The bounds of a log. */
export interface TrafficLogOptions {
  /** The most records. Default: 500. */
  readonly maxRecords?: number;
  /** The most bytes of bodies, packets and headers together. Default: 20 MB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_RECORDS = 500;
const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;
/** What a record needs besides its texts and bytes. */
const RECORD_BYTES = 500;

/** The traffic of the page: the newest records, in order, within bounds. The oldest leave first. */
export class TrafficLog implements TrafficSink {
  readonly #maxRecords: number;
  readonly #maxBytes: number;
  readonly #records = new Map<number, { readonly record: TrafficRecord; bytes: number }>();
  readonly #listeners = new Set<() => void>();
  #bytes = 0;
  #lastId = 0;
  #isPaused = false;
  #dropped = 0;

  constructor({ maxRecords = DEFAULT_MAX_RECORDS, maxBytes = DEFAULT_MAX_BYTES }: TrafficLogOptions = {}) {
    this.#maxRecords = maxRecords;
    this.#maxBytes = maxBytes;
  }

  /** The records, the oldest first. */
  get records(): TrafficRecord[] {
    return Array.from(this.#records.values(), ({ record }) => record);
  }

  /** How many records have left because of the bounds since the last `clear`. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The size of all records, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** While paused, nothing new is recorded. What was recorded before still gets its answer. */
  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#notify();
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(record: TrafficRecord): void {
    if (this.#isPaused) return;
    const bytes = measure(record);
    this.#records.set(record.id, { record, bytes });
    this.#bytes += bytes;
    this.#shrink();
    this.#notify();
  }

  change(record: HttpExchange): void {
    const entry = this.#records.get(record.id);
    if (entry === undefined) return;
    const bytes = measure(record);
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    this.#shrink();
    this.#notify();
  }

  /** Forgets all records. */
  clear(): void {
    this.#records.clear();
    this.#bytes = 0;
    this.#dropped = 0;
    this.#notify();
  }

  /** Calls the listener after each change. Returns a function that ends this. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #shrink(): void {
    for (const [id, { bytes }] of this.#records) {
      if (this.#records.size <= this.#maxRecords && this.#bytes <= this.#maxBytes) return;
      this.#records.delete(id);
      this.#bytes -= bytes;
      this.#dropped += 1;
    }
  }

  #notify(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch {
        // A view that fails must not reach the caller whose traffic is recorded.
      }
    }
  }
}

function measure(record: TrafficRecord): number {
  if (record.kind === 'socket') return RECORD_BYTES;
  if (record.kind === 'packet')
    return RECORD_BYTES + record.text.length + (record.carrier ? measure(record.carrier) : 0);
  const headers = [...record.requestHeaders, ...(record.answer?.headers ?? [])];
  const headerBytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return RECORD_BYTES + record.url.length + headerBytes + sizeOf(record.requestBody) + sizeOf(record.answer?.body);
}

const sizeOf = (body: RecordedBody | undefined): number => body?.bytes.length ?? 0;
