import specs from '@asyncapi/specs';
import {
  clientEvents,
  createAsyncApiDocument,
  createOpenApiDocument,
  errorCodes,
  getErrorEntry,
  type JsonObject,
  serverEvents,
} from '@messagebox/api-description';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv, type AnySchema } from 'ajv';
import formats from 'ajv-formats';
import { DocumentSchemas } from '../../../tests/support/contract/schemas.ts';

const openApi = createOpenApiDocument();
const asyncApi = createAsyncApiDocument();
const text = JSON.stringify(openApi);

type Operation = Readonly<Record<string, unknown>> & {
  readonly operationId: string;
  readonly summary: string;
  readonly responses: JsonObject;
};

/** Every operation with where it is in the document. */
function listOperations(): { readonly pointer: string[]; readonly operation: Operation }[] {
  return Object.entries(openApi['paths'] as Record<string, JsonObject>).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== 'servers')
      .map(([method, operation]) => ({
        pointer: ['paths', path, method],
        operation: operation as unknown as Operation,
      })),
  );
}

describe('the OpenAPI document', () => {
  const schemas = new DocumentSchemas(openApi);

  test('is valid OpenAPI 3.1', async () => {
    expect(await new Validator().validate(structuredClone(openApi))).toEqual({ valid: true });
  });

  test('has only references that lead somewhere', () => {
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, pointer]) => String(pointer).split('/'));
    expect(references.length).toBeGreaterThan(100);
    expect(references.filter((pointer) => schemas.resolve(pointer) === undefined)).toEqual([]);
  });

  test('gives each operation an id of its own and a summary', () => {
    const operations = listOperations().map(({ operation }) => operation);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.filter(({ summary }) => summary.length < 5)).toEqual([]);
  });

  test('has examples of requests that its own schemas accept', () => {
    const examples = listOperations().flatMap(({ pointer }) => {
      const content = schemas.resolve([...pointer, 'requestBody', 'content', 'application/json']);
      const given = (content?.value['examples'] ?? {}) as Record<string, { readonly value: unknown }>;
      return Object.values(given).map(({ value }) => ({ pointer: [...(content?.pointer ?? []), 'schema'], value }));
    });
    expect(examples.length).toBeGreaterThan(10);
    expect(examples.flatMap(({ pointer, value }) => schemas.findProblem(pointer, value) ?? [])).toEqual([]);
  });

  test('names the routing prefix, and what is not below it', () => {
    const { servers, paths } = createOpenApiDocument({ routingPrefix: '/api' }) as {
      readonly servers: { readonly url: string }[];
      readonly paths: Record<string, { readonly servers?: { readonly url: string }[] }>;
    };
    expect(servers[0]?.url).toBe('/api');
    const atRoot = Object.keys(paths).filter((path) => paths[path]?.servers?.[0]?.url === '/');
    expect(atRoot).toEqual(expect.arrayContaining(['/.well-known/auth', '/health/live', '/submit', '/lookup']));
    expect(atRoot).not.toContain('/sendMessage');
  });

  test('refuses answers with fields that it does not have', () => {
    const pointer = [
      'paths',
      '/acknowledgeMessage',
      'post',
      'responses',
      '200',
      'content',
      'application/json',
      'schema',
    ];
    expect(schemas.findProblem(pointer, { status: 'success' })).toBeUndefined();
    expect(schemas.findProblem(pointer, { status: 'success', more: 1 })).toContain('additional');
  });
});

describe('error codes', () => {
  /** Of the connection itself: neither a route nor an event. */
  const ELSEWHERE = ['ERR_STOPPING'];

  test('each has a cause and a cure, which the document shows', () => {
    for (const code of errorCodes) {
      const { cause, cure } = getErrorEntry(code);
      expect([code, cause.length > 10, cure.length > 5]).toEqual([code, true, true]);
      const schema = ((openApi['components'] as JsonObject)['schemas'] as JsonObject)[code];
      expect(schema).toMatchObject({ 'x-cause': cause, 'x-cure': cure });
    }
  });

  test('each is the answer of a route or an event', () => {
    const responses = JSON.stringify([openApi['paths'], (openApi['components'] as JsonObject)['responses']]);
    const unmatched = JSON.stringify(openApi['x-unmatched-requests']);
    const events = JSON.stringify(asyncApi);
    const unused = errorCodes.filter(
      (code) => !`${responses}${unmatched}`.includes(`"#/components/schemas/${code}"`) && !events.includes(`"${code}"`),
    );
    expect(unused).toEqual(ELSEWHERE);
  });
});

describe('the AsyncAPI document', () => {
  const schemas = new DocumentSchemas(asyncApi);

  test('is valid AsyncAPI 3.0', () => {
    // The published schema contains the schema of JSON schema itself.
    const ajv = new Ajv({ strict: false, meta: false, validateSchema: false });
    formats.default(ajv);
    // Its type allows undefined where that of ajv does not.
    const validate = ajv.compile(specs.schemas['3.0.0'] as AnySchema);
    expect([validate(asyncApi), validate.errors]).toEqual([true, null]);
    expect(validate({ ...asyncApi, channels: [] })).toBe(false);
  });

  test('has only references that lead somewhere', () => {
    const references = [...JSON.stringify(asyncApi).matchAll(/"\$ref":"#\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(40);
    expect(references.filter(([, pointer]) => schemas.resolve(String(pointer).split('/')) === undefined)).toEqual([]);
  });

  test('has examples of events that its own schemas accept', () => {
    const examples = [...clientEvents, ...serverEvents].flatMap(({ key, examples = [] }) =>
      examples.map((value) => ({ pointer: ['components', 'messages', key, 'payload'], value })),
    );
    expect(examples.length).toBeGreaterThan(5);
    expect(examples.flatMap(({ pointer, value }) => schemas.findProblem(pointer, value) ?? [])).toEqual([]);
  });
});
