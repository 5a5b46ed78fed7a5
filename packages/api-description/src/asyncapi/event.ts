import type { Json } from '../json.js';
import type { Schema } from '../schema.js';

/** An event in the payload of a signed frame: `{"eventName", "data"}`. */
export interface LiveEvent {
  /** The key in the document. */
  readonly key: string;
  /** The `eventName`. `{roomId}` stands for a room, as the client has written it. */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  /** The JSON schema of the field `data`. */
  readonly data: Schema;
  readonly examples?: readonly Json[];
}

/** An event that a client may send, and the keys of the events that answer it. */
export interface ClientEvent extends LiveEvent {
  readonly answers: readonly string[];
}
