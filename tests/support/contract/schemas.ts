import type { JsonObject } from '@messagebox/api-description';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** Checks values against the schemas of one document, which it finds by JSON pointers. */
export class DocumentSchemas {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: true });
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(readonly document: JsonObject) {
    formats.default(this.#ajv);
    // Only its schemas are compiled, when they are used.
    this.#ajv.addSchema(document, DOCUMENT, undefined, false);
  }

  /**
   * @param pointer names of properties, from the document to a schema
   * @returns the problem, or undefined
   */
  findProblem(pointer: readonly string[], value: unknown): string | undefined {
    const fragment = pointer
      .map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    let validate = this.#compiled.get(fragment);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `${DOCUMENT}#/${fragment}` });
      this.#compiled.set(fragment, validate);
    }
    if (validate(value)) return undefined;
    return describeErrors(validate.errors ?? [], value);
  }

  /** The object at a pointer, with references followed. */
  resolve(pointer: readonly string[]): { readonly pointer: readonly string[]; readonly value: JsonObject } | undefined {
    let at: readonly string[] = [];
    let value: unknown = this.document;
    for (const name of pointer) {
      value = (value as Record<string, unknown> | undefined)?.[name];
      at = [...at, name];
      const reference = (value as { $ref?: unknown } | undefined)?.$ref;
      if (typeof reference !== 'string') continue;
      const target = this.resolve(parsePointer(reference));
      if (target === undefined) throw new Error(`${reference} is not in the document`);
      at = target.pointer;
      value = target.value;
    }
    return typeof value === 'object' && value !== null ? { pointer: at, value: value as JsonObject } : undefined;
  }
}

const DOCUMENT = 'document.json';
const MAX_SHOWN_CHARACTERS = 400;

function parsePointer(reference: string): string[] {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .map((name) => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Of a choice, every alternative has errors. Those that get deepest are of the alternative that was meant. */
function describeErrors(errors: readonly ErrorObject[], value: unknown): string {
  const shown = JSON.stringify(value) ?? 'nothing';
  const texts = errors.map(
    ({ instancePath, message, params }) => `${instancePath || 'the value'} ${message} ${JSON.stringify(params)}`,
  );
  return `${[...new Set(texts)].slice(0, 6).join('; ')}, in ${shown.slice(0, MAX_SHOWN_CHARACTERS)}`;
}
