import { createErrorSchema, errorCodes } from '../errors/error-schemas.js';
import type { Json, JsonObject } from '../json.js';
import { commonSchemas } from '../schemas/common.js';
import { paymentSchemas } from '../schemas/payment.js';
import { createErrorResponses, listErrorCodes, signatureHeaders, unmatchedRouteErrors } from './error-responses.js';
import { groupSchemas, groups } from './groups/index.js';
import { headers, parameters } from './headers.js';
import { introduction } from './introduction.js';
import type { Operation, Parameter, RequestBody, SuccessAnswer } from './operation.js';
import { shareResponses } from './shared-responses.js';

/** What differs between servers. */
export interface DescriptionOptions {
  /** Empty, or a path such as `/api`. Default: empty. */
  readonly routingPrefix?: string;
  /** Of this software. Default: that of the package. */
  readonly version?: string;
}

/** The version of the described interface. */
export const API_VERSION = '0.1.0';

/** Creates the OpenAPI 3.1 document of every route of the api and the overlay. */
export function createOpenApiDocument({
  routingPrefix = '',
  version = API_VERSION,
}: DescriptionOptions = {}): JsonObject {
  const operations = groups.flatMap((group) => group.operations.map((operation) => ({ operation, tag: group.name })));
  const paths = new Map<string, Record<string, Json>>();
  for (const { operation, tag } of operations) {
    const path = paths.get(operation.path) ?? {};
    if (operation.isAtRoot === true && routingPrefix !== '') path['servers'] = [{ url: '/' }];
    path[operation.method] = toOperationObject(operation, tag);
    paths.set(operation.path, path);
  }
  const shared = shareResponses(Object.fromEntries(paths));
  return {
    openapi: '3.1.0',
    info: {
      title: 'MessageBox',
      version,
      summary: 'Authenticated store-and-forward messages of Bitcoin SV identities.',
      description: introduction,
    },
    servers: [{ url: routingPrefix === '' ? '/' : routingPrefix, description: 'This server.' }],
    tags: groups.map(({ name, description }) => ({ name, description })),
    paths: shared.paths,
    components: {
      schemas: {
        ...commonSchemas,
        ...paymentSchemas,
        ...groupSchemas,
        ...Object.fromEntries(errorCodes.map((code) => [code, createErrorSchema(code)])),
      },
      headers,
      parameters,
      responses: shared.responses,
      securitySchemes: {
        brc103: {
          type: 'apiKey',
          in: 'header',
          name: 'x-bsv-auth-signature',
          description:
            'Mutual authentication by BRC-103 and BRC-104: a handshake, then a signature in the headers of each request and each answer. `AuthFetch` of `@bsv/sdk` does it.',
        },
      },
    },
    // OpenAPI has no place for them: the answers to a path or a method that is not described.
    'x-unmatched-requests': { responses: createErrorResponses(unmatchedRouteErrors, true) },
  };
}

function toOperationObject(operation: Operation, tag: string): JsonObject {
  const { access, operationId, summary, description, body, answers } = operation;
  const isSigned = access !== 'open';
  const given = (operation.parameters ?? []).map(toParameterObject);
  const all = isSigned
    ? [...given, ...Object.keys(parameters).map((name) => ({ $ref: `#/components/parameters/${name}` }))]
    : given;
  const successes = Object.entries(answers).map(([status, answer]): [string, JsonObject] => [
    status,
    toResponseObject(answer, isSigned),
  ]);
  const errors = createErrorResponses(listErrorCodes(operation), isSigned);
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined && access !== 'operator'
      ? {}
      : {
          description: [description, access === 'operator' ? 'For operators only.' : undefined]
            .filter(Boolean)
            .join(' '),
        }),
    ...(isSigned ? { security: [{ brc103: [] }] } : { security: [] }),
    ...(all.length === 0 ? {} : { parameters: all }),
    ...(body === undefined ? {} : { requestBody: toRequestBodyObject(body) }),
    responses: mergeResponses(Object.fromEntries(successes), errors),
  };
}

/** Some statuses, such as 503 of a health check, are both an answer of their own and an error of the proxy in front. */
function mergeResponses(successes: JsonObject, errors: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...successes };
  for (const [status, response] of Object.entries(errors)) {
    const own = merged[status] as JsonObject | undefined;
    merged[status] = own === undefined ? response : mergeResponse(own, response as JsonObject);
  }
  return merged;
}

function mergeResponse(own: JsonObject, error: JsonObject): JsonObject {
  const schemaOf = (response: JsonObject) =>
    ((response['content'] as JsonObject)['application/json'] as JsonObject)['schema'] as JsonObject;
  const alternatives = (schema: JsonObject) => (schema['oneOf'] as Json[] | undefined) ?? [schema];
  return {
    description: `${String(own['description'])}\n\n${String(error['description'])}`,
    content: {
      'application/json': { schema: { oneOf: [...alternatives(schemaOf(own)), ...alternatives(schemaOf(error))] } },
    },
  };
}

function toParameterObject({ in: place, name, description, schema, required = false, example }: Parameter): JsonObject {
  return {
    in: place,
    name,
    description,
    required: place === 'path' || required,
    schema,
    ...(example === undefined ? {} : { example }),
  };
}

function toRequestBodyObject({
  description,
  contentType = 'application/json',
  schema,
  required = true,
  examples,
}: RequestBody) {
  return {
    ...(description === undefined ? {} : { description }),
    required,
    content: {
      [contentType]: {
        schema,
        ...(examples === undefined
          ? {}
          : {
              examples: Object.fromEntries(
                Object.entries(examples).map(([title, value]) => [
                  title.replaceAll(' ', '-'),
                  { summary: title, value },
                ]),
              ),
            }),
      },
    },
  } satisfies JsonObject;
}

function toResponseObject({ description, content, headers: own, links }: SuccessAnswer, isSigned: boolean): JsonObject {
  const all = { ...(own ?? {}), ...(isSigned ? signatureHeaders(true) : {}) };
  return {
    description,
    ...(Object.keys(all).length === 0 ? {} : { headers: all }),
    content: Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }])),
    ...(links === undefined ? {} : { links }),
  };
}
