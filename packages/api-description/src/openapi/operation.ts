import type { ErrorCode } from '../errors/catalogue.js';
import type { Json, JsonObject } from '../json.js';
import type { Schema } from '../schema.js';

/**
 * Who may use a route: anybody without authentication, every identity that signs its requests (BRC-103, BRC-104), or
 * identities in `ADMIN_IDENTITY_KEYS` alone.
 */
export type Access = 'open' | 'signed' | 'operator';

/** A parameter of the path, the query or a header. */
export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  /** Default: false; always true in a path. */
  readonly required?: boolean;
  readonly example?: Json;
}

/** The body of a request. */
export interface RequestBody {
  readonly description?: string;
  /** Default: `application/json`. */
  readonly contentType?: string;
  readonly schema: Schema;
  /** Default: true. */
  readonly required?: boolean;
  /** Requests that a test sends to a server, by their titles. */
  readonly examples?: Readonly<Record<string, Json>>;
}

/** What a route answers when it has done its work. */
export interface SuccessAnswer {
  readonly description: string;
  /** By content type; without one the answer has no body that is described. */
  readonly content: Readonly<Record<string, Schema>>;
  readonly headers?: JsonObject;
  readonly links?: JsonObject;
}

/** One route. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put';
  /** Without the routing prefix, parameters in braces. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  /** Whether the route is at the root of the origin, and not below the routing prefix. Default: false. */
  readonly isAtRoot?: boolean;
  readonly parameters?: readonly Parameter[];
  readonly body?: RequestBody;
  /** By status. */
  readonly answers: Readonly<Record<number, SuccessAnswer>>;
  /** The codes of this route alone. Those that any route of its kind has are added. */
  readonly errors?: readonly ErrorCode[];
}

/** Routes that belong together, on one page of the viewer. */
export interface Group {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly Operation[];
}

/** An answer in JSON. */
export function json(description: string, schema: Schema, more: Omit<SuccessAnswer, 'description' | 'content'> = {}) {
  return { description, content: { 'application/json': schema }, ...more } satisfies SuccessAnswer;
}
