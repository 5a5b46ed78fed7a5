import type { Json, JsonObject } from './json.js';

/** A JSON schema (draft 2020-12), as OpenAPI 3.1 and AsyncAPI 3.0 contain it. */
export type Schema = JsonObject;
/** The properties of an object, by name. */
export type Properties = Readonly<Record<string, Schema>>;

/**
 * What the server sends: an object with these properties and no others.
 *
 * @param optional the properties that may be missing
 */
export function closedObject(properties: Properties, optional: readonly string[] = []): Schema {
  return { ...openObject(properties, optional), additionalProperties: false };
}

/** What the server takes: an object with these properties. It ignores others. */
export function openObject(properties: Properties, optional: readonly string[] = []): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
}

export function list(items: Schema, more: JsonObject = {}): Schema {
  return { type: 'array', items, ...more };
}

export function text(description: string, more: JsonObject = {}): Schema {
  return { type: 'string', description, ...more };
}

export function integer(description: string, minimum: number, maximum?: number): Schema {
  return { type: 'integer', description, minimum, ...(maximum === undefined ? {} : { maximum }) };
}

/** A schema that also allows null. */
export function orNull(schema: Schema): Schema {
  return { oneOf: [schema, { type: 'null' }] };
}

/** A reference to a schema of the document's components, with keywords that add to it. */
export function schemaRef(name: string, more: Readonly<Record<string, Json>> = {}): Schema {
  return { $ref: `#/components/schemas/${name}`, ...more };
}
