import type { JsonObject } from '@messagebox/api-description';
import type { HttpExchange } from '@messagebox/test-kit/wire-observers';
import type { DocumentSchemas } from './schemas.ts';

interface MatchedOperation {
  /** From the document to the operation. */
  readonly pointer: readonly string[];
  /** Of the path, by name. */
  readonly parameters: Readonly<Record<string, string>>;
}

const METHODS_WITHOUT_ROUTES = new Set(['OPTIONS', 'CONNECT', 'TRACE']);

/** Holds requests and answers to the OpenAPI document. */
export class HttpContract {
  readonly #routes: { readonly path: string; readonly pattern: RegExp; readonly names: readonly string[] }[];

  constructor(private readonly schemas: DocumentSchemas) {
    this.#routes = Object.keys(schemas.document['paths'] as JsonObject).map((path) => {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name));
      // Express takes upper case, and a slash at the end.
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '([^/]+)')}/?$`, 'i');
      return { path, pattern, names };
    });
  }

  /** @returns in how far the exchange is not as described */
  findProblems(exchange: HttpExchange): string[] {
    const { method, status, headers } = exchange;
    const operation = this.#findOperation(exchange);
    if (operation === undefined) return this.#findProblemsOfUnmatched(exchange);
    // A path that only looks like one of ours: something else stands before it, or another service answers.
    const isUnmatched = status === 404 && isRefusedAs(exchange, 'ERR_NOT_FOUND');
    const found = this.schemas.resolve([
      ...(isUnmatched ? UNMATCHED : [...operation.pointer, 'responses']),
      String(status),
    ]);
    if (found === undefined) return [`${status} is not described`];
    const problems = method === 'HEAD' ? [] : this.#findBodyProblems(found, exchange);
    problems.push(...this.#findHeaderProblems(found.pointer, headers));
    if (status >= 200 && status < 300) problems.push(...this.#findRequestProblems(operation, exchange));
    return problems;
  }

  #findOperation({ method, target }: HttpExchange): MatchedOperation | undefined {
    const name = (method === 'HEAD' ? 'GET' : method).toLowerCase();
    let path = (target.replace(/^https?:\/\/[^/]*/, '').split('?')[0] ?? '').replaceAll(/\/{2,}/g, '/');
    // The routing prefix is not known here.
    for (; path.startsWith('/'); path = path.slice(Math.max(path.indexOf('/', 1), 0) || path.length)) {
      for (const route of this.#routes) {
        const match = route.pattern.exec(path);
        if (match === null || this.schemas.resolve(['paths', route.path, name]) === undefined) continue;
        const values = route.names.map((parameter, i) => [parameter, decode(match[i + 1] ?? '')]);
        return { pointer: ['paths', route.path, name], parameters: Object.fromEntries(values) };
      }
    }
    return undefined;
  }

  #findProblemsOfUnmatched(exchange: HttpExchange): string[] {
    const { method, status, headers } = exchange;
    const body = parseJson(exchange.body);
    if (method === 'OPTIONS' && status === 200) {
      // socket.io answers by itself, without a body.
      const isAnswer = JSON.stringify(body) === '{}' || /\/socket\.io\//.test(exchange.target);
      return isAnswer && headers['access-control-allow-origin'] === '*'
        ? []
        : ['OPTIONS is answered with {} and the headers of CORS'];
    }
    // Other servers of a test have answers of their own.
    const isOurs = typeof body === 'object' && body !== null && (body as { status?: unknown }).status === 'error';
    if (!isOurs) return [];
    const found = this.schemas.resolve([...UNMATCHED, String(status)]);
    if (found === undefined) return [`${status} is not described for a request without a route`];
    if (METHODS_WITHOUT_ROUTES.has(method) && status === 404) return [];
    return this.#findBodyProblems(found, exchange);
  }

  #findBodyProblems({ pointer, value }: Found, { headers, body }: HttpExchange): string[] {
    const content = value['content'] as JsonObject | undefined;
    if (content === undefined || Object.keys(content).length === 0) {
      return body.length === 0 || value['content'] === undefined
        ? []
        : ['the answer has a body, and none is described'];
    }
    const type = headers['content-type'] ?? '';
    const name = Object.keys(content).find((one) => toMediaType(one) === toMediaType(type));
    if (name === undefined) return [`the content type ${type} is not described`];
    return readValues(toMediaType(type), body).flatMap((value) => {
      const problem = this.schemas.findProblem([...pointer, 'content', name, 'schema'], value);
      return problem === undefined ? [] : [`the answer: ${problem}`];
    });
  }

  #findHeaderProblems(pointer: readonly string[], headers: HttpExchange['headers']): string[] {
    const described = Object.keys(this.schemas.resolve([...pointer, 'headers'])?.value ?? {});
    return described.flatMap((name) => {
      const header = this.schemas.resolve([...pointer, 'headers', name]);
      const given = headers[name.toLowerCase()];
      if (header === undefined) return [];
      if (given === undefined) return header.value['required'] === true ? [`the header ${name} is missing`] : [];
      const problem = this.schemas.findProblem([...header.pointer, 'schema'], given);
      return problem === undefined ? [] : [`the header ${name}: ${problem}`];
    });
  }

  /** For requests that were accepted: what is not described must not be accepted. */
  #findRequestProblems(operation: MatchedOperation, { target, requestHeaders, requestBody }: HttpExchange): string[] {
    if (requestHeaders === undefined) return [];
    const query = new URLSearchParams(target.split('?')[1] ?? '');
    const { value } = this.schemas.resolve(operation.pointer) as Found;
    const count = ((value['parameters'] as unknown[] | undefined) ?? []).length;
    const problems = Array.from({ length: count }, (_, i) => i).flatMap((i) => {
      const parameter = this.schemas.resolve([...operation.pointer, 'parameters', String(i)]);
      if (parameter === undefined) return [];
      const { name, in: place, required } = parameter.value as { name: string; in: string; required?: boolean };
      const schema = this.schemas.resolve([...parameter.pointer, 'schema']);
      const given = readParameter(place, name, { query, headers: requestHeaders, path: operation.parameters });
      if (given.length === 0) return required === true ? [`the ${place} parameter ${name} is missing`] : [];
      const problem = this.schemas.findProblem(
        [...parameter.pointer, 'schema'],
        toParameterValue(schema?.value, given),
      );
      return problem === undefined ? [] : [`the ${place} parameter ${name}: ${problem}`];
    });
    const content = this.schemas.resolve([...operation.pointer, 'requestBody', 'content', 'application/json']);
    const { value: described } = this.schemas.resolve([...operation.pointer, 'requestBody']) ?? {
      value: {} as JsonObject,
    };
    const isLeftOut = described['required'] === false && (requestBody ?? []).length === 0;
    if (content === undefined || isLeftOut) return problems;
    const problem = this.schemas.findProblem(
      [...content.pointer, 'schema'],
      parseJson(requestBody ?? new Uint8Array()),
    );
    return problem === undefined ? problems : [...problems, `the accepted request: ${problem}`];
  }
}

type Found = NonNullable<ReturnType<DocumentSchemas['resolve']>>;

const UNMATCHED = ['x-unmatched-requests', 'responses'];

function toMediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

/** What the schema of a content type is about: a value of JSON, or one in each line. Others are not looked into. */
function readValues(mediaType: string, body: Uint8Array): unknown[] {
  if (mediaType === 'application/json') return [parseJson(body)];
  if (mediaType !== 'application/x-ndjson') return [];
  const lines = Buffer.from(body).toString('utf8').split('\n').filter(Boolean);
  return lines.map((line) => parseJson(Buffer.from(line)));
}

/** Like Express, which decodes the parameters of a path after it has matched. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isRefusedAs({ body }: HttpExchange, code: string): boolean {
  const refusal = parseJson(body);
  return typeof refusal === 'object' && refusal !== null && (refusal as { code?: unknown }).code === code;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    // Like the server, without a byte order mark.
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function readParameter(
  place: string,
  name: string,
  request: {
    readonly query: URLSearchParams;
    readonly headers: Readonly<Record<string, string>>;
    readonly path: Readonly<Record<string, string>>;
  },
): string[] {
  if (place === 'query') return request.query.getAll(name);
  const value = place === 'path' ? request.path[name] : request.headers[name];
  return value === undefined ? [] : [value];
}

function toParameterValue(schema: JsonObject | undefined, given: readonly string[]): unknown {
  if (schema?.['type'] === 'array') return given;
  const [first = ''] = given;
  return schema?.['type'] === 'integer' && first !== '' ? Number(first) : first;
}
