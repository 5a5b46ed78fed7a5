import type { Json, JsonObject } from '../json.js';

/** Paths of the document whose equal error responses are references, and these responses by name. */
export interface SharedResponses {
  readonly paths: Readonly<Record<string, Json>>;
  readonly responses: JsonObject;
}

/** Most routes have most error responses in common: each is in the document once, as a component. */
export function shareResponses(paths: Readonly<Record<string, Json>>): SharedResponses {
  const uses = new Map<string, number>();
  mapErrorResponses(paths, (_status, response) => {
    const key = JSON.stringify(response);
    uses.set(key, (uses.get(key) ?? 0) + 1);
    return response;
  });
  const names = new Map<string, string>();
  const responses: Record<string, Json> = {};
  const shared = mapErrorResponses(paths, (status, response) => {
    const key = JSON.stringify(response);
    if ((uses.get(key) ?? 0) < 2) return response;
    let name = names.get(key);
    if (name === undefined) {
      const before = [...names.values()].filter((one) => one.startsWith(`Error${status}.`)).length;
      name = `Error${status}.${before + 1}`;
      names.set(key, name);
      responses[name] = response;
    }
    return { $ref: `#/components/responses/${name}` };
  });
  return { paths: shared, responses };
}

function mapErrorResponses(
  paths: Readonly<Record<string, Json>>,
  change: (status: string, response: JsonObject) => JsonObject,
): Readonly<Record<string, Json>> {
  const mapValues = (object: JsonObject, map: (value: Json, name: string) => Json): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value, name)]));
  return mapValues(paths, (path) =>
    mapValues(path as JsonObject, (operation, name) => {
      if (name === 'servers') return operation;
      const { responses, ...rest } = operation as { readonly responses: JsonObject };
      const changed = mapValues(responses, (response, status) =>
        Number(status) >= 400 ? change(status, response as JsonObject) : response,
      );
      return { ...rest, responses: changed };
    }),
  );
}
